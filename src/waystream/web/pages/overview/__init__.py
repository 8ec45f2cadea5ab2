"""The start page: today in one sentence, the stream from paid to delivered, what needs a person, carriers, floor."""
