"""People, the roles that they have, and what each role may do."""

from oauth.access.person import LOCAL, Person
from oauth.access.roles import MINIMUM, Action, Role

__all__ = ["LOCAL", "MINIMUM", "Action", "Person", "Role"]
