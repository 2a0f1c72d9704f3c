"""For nbgrader, started in this folder: `nbgrader generate_assignment 01_order_from_many`."""

c = get_config()  # noqa: F821 - whoever loads this file gives the name: the command and formgrader, each its own
c.CourseDirectory.course_id = "mean_field"
c.ClearSolutions.code_stub = {"python": ""}  # what stands above a solution already asks for the answer
c.Execute.timeout = 300  # seconds for a cell; nbgrader's own 30 are few for a simulation on a busy machine
