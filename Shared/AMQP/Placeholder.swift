// replaced by its developer
