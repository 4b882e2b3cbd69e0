"""Models with an image tower and a text tower, CLIP and SigLIP: their files, and how they are loaded."""
