"""Stand-ins of the far ends of push: FCM, APNs, the push service of a browser, and the app behind them."""
