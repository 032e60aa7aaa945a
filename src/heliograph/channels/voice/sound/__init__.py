"""What is played: files and URLs read as audio, texts spoken by a program, all as 8000 Hz samples."""
