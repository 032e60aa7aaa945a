"""The three far ends of push: FCM for Android, APNs for iOS, the push services of browsers."""
