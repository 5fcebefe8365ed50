"""How values of one type become values of another: containers here, built-in scalars in ``scalars.py``.
Pure.
"""

from __future__ import annotations

from msgspec import Struct, structs

from tranship.model.builtin_types import Family, money_format
from tranship.model.expression import Conversion, Loss, Rule
from tranship.model.names import TableName
from tranship.model.types import PgType, TypeKind
from tranship.planning.printed.one_spelling import one_spelling
from tranship.planning.types.judgement import NOTHING_IN_COMMON, SAME, asked, no_conversion
from tranship.planning.types.scalars import scalar
from tranship.planning.types.versions import may_refuse, single_byte

SchemaPairs = tuple[tuple[str, str], ...]

_TELLS_REPEATED_KEYS = 160000
"""The first version of OLD that can be asked which documents repeat a key (``IS JSON WITH UNIQUE KEYS``)."""
KEYS_NOT_COUNTED = "repeated keys are dropped and not counted: OLD is older than PostgreSQL 16"
_DISCRETE = {"int4": 0, "int8": 1}
OTHER_ORDER = "NEW may sort texts in another order"
"""Stands in the reason of a conversion between ranges of texts under other collations."""
_RANGES_DIFFER = {
    False: "another range type: bounds may mean something else",
    True: f"{OTHER_ORDER}: a range holds other texts, and bounds in the wrong order are refused",
}
"""Why a range is asked about, by whether both types have one name."""
_BY_CODE_POINT = frozenset({"c", "posix", "c.utf8"})


def order_of_texts(collation: str) -> str:
    """Returns one name for all default collations that sort texts alike: ``collation`` is the database's
    locale and, behind it, its provider with a locale of its own.
    """
    named = collation.casefold().replace("utf-8", "utf8")
    return "C" if named.rpartition(" b:")[2] in _BY_CODE_POINT else named


class _Context(Struct, frozen=True):
    schemas: SchemaPairs
    versions: tuple[int, int]
    """OLD's and NEW's ``server_version_num``."""
    nested: bool = False
    """Inside an array, a composite or a range, where no column constraint guards against NULL."""

    def inside(self) -> _Context:
        return structs.replace(self, nested=True)


def convert(
    old: PgType,
    new: PgType,
    *,
    old_version: int = 150000,
    new_version: int = 150000,
    schemas: SchemaPairs = (),
) -> Conversion:
    """Judge one pair of types. User types pair by name, through ``schemas`` ((old, new) pairs) where their
    schemas differ.

    A NOT NULL that only NEW's domain has is no matter of the conversion (``Column.refuses_null``), except
    inside arrays, composites and ranges.
    ``old_version`` and ``new_version`` are ``server_version_num``.
    """
    if old_version < 90200 and new.leaf.kind is TypeKind.RANGE:
        return no_conversion("OLD's server has no ranges")
    return _judge(old, new, _Context(schemas, (old_version, new_version)))


def same_type(old: PgType, new: PgType, schemas: SchemaPairs = ()) -> bool:
    """Returns whether nothing about the type differs: name, modifier and, for user types, the whole
    definition.
    """
    if not (_same_name(old, new, schemas) and _same_definition(old, new)):
        return False
    if len(old.attributes) != len(new.attributes):
        return False
    pairs = zip(old.attributes, new.attributes, strict=True)
    if not all(a.name == b.name and same_type(a.type, b.type, schemas) for a, b in pairs):
        return False
    if old.element is None or new.element is None:
        return old.element is new.element
    return same_type(old.element, new.element, schemas)


def _same_definition(old: PgType, new: PgType) -> bool:
    """What a type says of itself, its parts and its name apart."""
    if (old.kind, old.modifiers, old.labels) != (new.kind, new.modifiers, new.labels):
        return False
    if (old.not_null, old.collation, old.sorts) != (new.not_null, new.collation, new.sorts):
        return False
    if old.kind in (TypeKind.BASE, TypeKind.PSEUDO) and _suffix(old) != _suffix(new):
        return False
    if money_format(old.printed_form)[0] != money_format(new.printed_form)[0]:
        return False
    known, asked_for = _checked(old, validated=True), _checked(new, validated=False)
    return known == asked_for


def _checked(pg_type: PgType, *, validated: bool) -> frozenset[str]:
    """The expressions of a domain's CHECKs; of OLD's only those count that hold for every row."""
    checks = [check for check in pg_type.checks if check.validated or not validated]
    return frozenset(one_spelling(check.expression) for check in checks)


def paired(old: TableName, new: TableName, schemas: SchemaPairs = ()) -> bool:
    """The same name in paired schemas (or in the very same one)."""
    return old.name == new.name and (old.schema == new.schema or (old.schema, new.schema) in schemas)


def _suffix(pg_type: PgType) -> str:
    """The modifier as it is printed: ``(Point,4326)`` of a geometry, ``second(3)`` of an interval."""
    return pg_type.text.removeprefix(pg_type.base)


def _same_name(old: PgType, new: PgType, schemas: SchemaPairs) -> bool:
    if old.kind is TypeKind.ARRAY and new.kind is TypeKind.ARRAY:
        return True
    if (
        old.extension is not None
        and old.extension == new.extension
        and old.name is not None
        and new.name is not None
    ):
        return old.name.name == new.name.name
    if old.name is None or new.name is None:
        return old.base == new.base
    return paired(old.name, new.name, schemas)


def _judge(old: PgType, new: PgType, context: _Context) -> Conversion:
    if old.kind is TypeKind.DOMAIN or new.kind is TypeKind.DOMAIN:
        return _into_domain(_judge(old.leaf, new.leaf, context), old, new, context)
    if old.kind is new.kind:
        match old.kind:
            case TypeKind.ARRAY:
                return _array(old, new, context)
            case TypeKind.ENUM:
                return _enum(old, new)
            case TypeKind.COMPOSITE:
                return _composite(old, new, context)
            case TypeKind.RANGE | TypeKind.MULTIRANGE:
                return _range(old, new, context)
            case _:
                return _base(old, new, context)
    return _across(old, new)


def _base(old: PgType, new: PgType, context: _Context) -> Conversion:
    if old.typname == new.typname == "char":
        found = single_byte(context.versions)
    elif old.typname and new.typname:
        found = scalar(old, new, context.versions[1])
        if found.bare and _may_drop_keys(old, new):
            counted = context.versions[0] >= _TELLS_REPEATED_KEYS
            why = found.why if counted else f"{found.why}; {KEYS_NOT_COUNTED}"
            found = structs.replace(found, why=why, loss=Loss.KEYS if counted else found.loss)
    elif _same_name(old, new, context.schemas):
        kept = _suffix(new) in ("", _suffix(old))
        found = SAME if kept else asked(Rule.NEW_INPUT, "the modifier changes")
    else:
        return _across(old, new)
    if found.rule is Rule.SAME and may_refuse(old, new, context.versions):
        return structs.replace(found, fallible=True)
    return found


def _may_drop_keys(old: PgType, new: PgType) -> bool:
    """Returns whether documents become jsonb, which holds each key once."""
    written = old.typname == "json" or _is_text(old)
    return written and new.typname == "jsonb"


def _across(old: PgType, new: PgType) -> Conversion:
    """Two types of different kinds: only text is a bridge."""
    if _is_text(new):
        if new.typname != "bpchar" and not new.modifiers:
            if old.kind is TypeKind.ENUM:
                return Conversion(Rule.OLD_CAST, automatic=True)
            return asked(Rule.OLD_CAST, "the value becomes its printed form", fallible=False)
        fits = (
            old.kind is TypeKind.ENUM
            and new.typname == "varchar"
            and max(map(len, old.labels), default=0) <= new.modifiers[0]
        )
        return asked(Rule.NEW_INPUT, "the value becomes its printed form and may not fit", fallible=not fits)
    if (_is_text(old) or old.typname == "name") and new.family is not Family.STRING:
        return asked(Rule.NEW_INPUT, f"text that is not a valid {new.text} is refused")
    return no_conversion(NOTHING_IN_COMMON)


def _is_text(pg_type: PgType) -> bool:
    return pg_type.typname in ("text", "varchar", "bpchar")


def _into_domain(inner: Conversion, old: PgType, new: PgType, context: _Context) -> Conversion:
    """NEW's domain constraints that OLD's type lacks can refuse a value.

    On the same domain they are a new constraint, else a narrower type.
    """
    names = _new_constraints(old, new, context)
    if not names:
        return inner
    domains = old.kind is TypeKind.DOMAIN and new.kind is TypeKind.DOMAIN
    same_domain = domains and _same_name(old, new, context.schemas)
    why = inner.why or f"the domain checks more than before: {', '.join(names)}"
    rule = Rule.NEW_INPUT if inner.rule is Rule.SAME else inner.rule
    return structs.replace(
        inner, rule=rule, fallible=True, automatic=inner.automatic and same_domain, why=why
    )


def _new_constraints(old: PgType, new: PgType, context: _Context) -> list[str]:
    """Names of the constraints that hold in NEW's domains and that no domain of OLD's type guarantees."""
    known = {one_spelling(check.expression) for d in _domains(old) for check in d.checks if check.validated}
    declared = [check for domain in _domains(new) for check in domain.checks]
    names = [check.name for check in declared if one_spelling(check.expression) not in known]
    if context.nested and _refuses_null(new) and not _refuses_null(old):
        names.append("NOT NULL")
    return names


def _refuses_null(pg_type: PgType) -> bool:
    return any(domain.not_null for domain in _domains(pg_type))


def _domains(pg_type: PgType) -> tuple[PgType, ...]:
    found = []
    inner: PgType | None = pg_type
    while inner is not None and inner.kind is TypeKind.DOMAIN:
        found.append(inner)
        inner = inner.element
    return tuple(found)


def _enum(old: PgType, new: PgType) -> Conversion:
    missing = [label for label in old.labels if label not in new.labels]
    if not missing:
        return SAME
    shown = ", ".join(repr(label) for label in missing[:8]) + (" …" if len(missing) > 8 else "")
    return asked(Rule.NEW_INPUT, f"{len(missing)} of {len(old.labels)} labels do not exist in NEW: {shown}")


def _bound(old: PgType, new: PgType, context: _Context) -> Conversion:
    """The conversion of a range's bound: what lies between two of them is told by their order."""
    inner = _elementwise(_judge(old, new, context.inside()), old)
    moved = _moved_labels(old.leaf, new.leaf)
    if not moved or not inner.bare:
        return inner
    return asked(Rule.NEW_INPUT, f"the order of labels changes what lies between two bounds: {moved}")


def _moved_labels(old: PgType, new: PgType) -> str:
    """Returns the labels of two enums in the order of each, where it differs; empty otherwise."""
    if not (old.kind is new.kind is TypeKind.ENUM):
        return ""
    both = set(old.labels) & set(new.labels)
    before, after = ([label for label in labels if label in both] for labels in (old.labels, new.labels))
    return f"{' < '.join(before)} becomes {' < '.join(after)}" if before != after else ""


def _array(old: PgType, new: PgType, context: _Context) -> Conversion:
    if old.element is None or new.element is None:
        return _across(old, new)
    inner = _judge(old.element, new.element, context.inside())
    if not inner.bare:
        return inner
    if not (old.element.typname and new.element.typname):
        return _elementwise(inner, old.element)
    if _cast_as_arrays(inner, old.element, new.element):
        return structs.replace(inner, rule=Rule.OLD_CAST)
    row = old.element.builtin
    if inner.rule is Rule.NEW_INPUT and row is not None and row.cast_differs:
        return inner
    return _elementwise(inner, old.element)


def _cast_as_arrays(inner: Conversion, old: PgType, new: PgType) -> bool:
    """Whether OLD casts the whole array. Its binary form names the element's type: varchar[] is no text[]."""
    renamed = inner.rule is Rule.SAME and old.typname != new.typname
    unpadded = old.typname == "bpchar" and new.typname in ("text", "varchar") and not new.modifiers
    return inner.rule is Rule.OLD_CAST or renamed or unpadded


def _elementwise(inner: Conversion, old: PgType) -> Conversion:
    """The element's conversion where the container travels as text: only what the element prints counts."""
    if inner.rule is Rule.SAME or not inner.bare:
        return inner
    if _prints_as_needed(inner, old.leaf):
        return structs.replace(inner, rule=Rule.NEW_INPUT)
    return no_conversion(
        f"inside another type this takes a transform_sql ({inner.why or 'the printed form differs'})"
    )


def _prints_as_needed(inner: Conversion, old: PgType) -> bool:
    if inner.rule in (Rule.ROUND, Rule.ZONE):
        return False
    return old.typname not in ("bool", "bpchar", "char", "box", "money", "inet", "cidr")


def _composite(old: PgType, new: PgType, context: _Context) -> Conversion:
    old_names, new_names = ([a.name for a in t.attributes] for t in (old, new))
    if old_names != new_names:
        return no_conversion(f"the attributes differ: ({', '.join(old_names)}) and ({', '.join(new_names)})")
    worst = SAME
    for a, b in zip(old.attributes, new.attributes, strict=True):
        inner = _elementwise(_judge(a.type, b.type, context.inside()), a.type)
        worst = _worse(
            worst, structs.replace(inner, why=f"attribute {a.name}: {inner.why}" if inner.why else "")
        )
    return worst


def _worse(a: Conversion, b: Conversion) -> Conversion:
    """Both at once, as hard as the harder."""
    return Conversion(
        Rule.SAME if a.rule is Rule.SAME and b.rule is Rule.SAME else Rule.NEW_INPUT,
        automatic=a.automatic and b.automatic,
        fallible=a.fallible or b.fallible,
        loss=a.loss or b.loss,
        bare=a.bare and b.bare,
        why="; ".join(why for why in (a.why, b.why) if why),
    )


def _range(old: PgType, new: PgType, context: _Context) -> Conversion:
    if old.element is None or new.element is None:
        return (
            SAME if _same_name(old, new, context.schemas) else no_conversion("the ranges cannot be compared")
        )
    inner = _bound(old.element, new.element, context)
    if old.kind is TypeKind.MULTIRANGE or not inner.bare:
        return inner
    same_name = _same_name(old, new, context.schemas)
    if same_name and _same_order(old, new):
        return inner
    o, n = old.element.typname, new.element.typname
    if o in _DISCRETE and n in _DISCRETE and _DISCRETE[o] < _DISCRETE[n]:
        return inner
    return asked(Rule.NEW_INPUT, inner.why or _RANGES_DIFFER[same_name], loss=inner.loss)


def _same_order(old: PgType, new: PgType) -> bool:
    """Returns whether two ranges compare texts by one collation."""
    return (old.collation, old.sorts) == (new.collation, new.sorts)
