"""The tab *Train*: training data, buttons of a training, its progress report and its live preview."""
