"""The tab *Train*: what is trained on, the buttons of a training, its report and its preview."""
