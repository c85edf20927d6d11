//! An empty library; its tests read the project's documents in foreign formats with other
//! implementations of those formats.
