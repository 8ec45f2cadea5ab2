"""The machine Waystream runs on: database, log, jobs, keys, clocks and the way out. It knows no business."""
