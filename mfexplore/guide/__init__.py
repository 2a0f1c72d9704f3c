"""What leads through the atlas: the map of relations, the glossary, the learning paths, the lessons."""
