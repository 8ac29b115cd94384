"""Bodies that are valid by the OpenAPI document: what the access matrix and the tests of every route send."""
import time
import uuid

WRITES = ("post", "put", "patch", "delete")
# What the document cannot say of a word: its form, and which value of several does no harm.
WORDS = {
    "phone": "+919876543210", "zone": "Etc/GMT", "currency": "INR", "birthDate": "1980-02-29", "expiryDate": "2099-01-01",
    "validUntil": "2199-12-31", "code": "000000", "start": "09:00", "end": "10:00", "slotMinutes": 30, "staffMFA": "optional",
    "policy": "care", "years": 10, "frequencyPerDay": 1, "durationDays": 1, "amount": 100, "roles": ["nurse"],
    "newPassword": "Polyclinic-demo-2027", "password": "Polyclinic-demo-2026", "grantTypes": ["client_credentials"],
    "scopes": ["queue.read"], "content": "JVBERi0xLjQK", "status": None, "redirectUris": [], "postLogoutRedirectUris": [],
    "redirectOrigins": ["https://canary.example"], "atc": "N02BE01"}


def new_id():
    """A UUIDv7: what every identifier here is."""
    value = uuid.uuid4().int & ~(0xFFFF_FFFF_FFFF_F000 << 64) | (int(time.time() * 1000) << 80) | (7 << 76)
    return str(uuid.UUID(int=value))


def operations(document):
    """{(method, pattern as the routes write it): operation}."""
    return {(method.upper(), path.replace("{", ":").replace("}", "")): operation
            for path, methods in document["paths"].items() for method, operation in methods.items()
            if method == "get" or method in WRITES}


def schema_of(operation):
    """Of its JSON body; None where it takes none."""
    content = (operation.get("requestBody") or {}).get("content", {})
    return next((kind["schema"] for name, kind in content.items() if "json" in name), None)


def valid(schema, known, whole=False, text=None, name=""):
    """A value of this schema: required fields only, or the whole. `known` gives fields by their name, and
    `text(name, schema)` the words of a field that takes any, or None where it has none."""
    if name in known:  # None leaves the field out, further up
        return known[name]
    if "anyOf" in schema:
        schema = next((s for s in schema["anyOf"] if s.get("type") != "null"), schema["anyOf"][0])
    kind = schema.get("type", "string")  # what may be anything may be a word
    if kind == "object":
        wanted = [f for f in (schema.get("properties", {}) if whole else schema.get("required", [])) if known.get(f, "") is not None]
        return {field: valid(schema["properties"][field], known, whole, text, field) for field in wanted}
    if text and kind == "string" and "enum" not in schema and (word := text(name, schema)) is not None:
        return word
    if WORDS.get(name) is not None and (kind == "array") == isinstance(WORDS[name], list):
        return WORDS[name]
    if kind == "array":
        return [valid(schema["items"], known, whole, text, name) for _ in range(max(1, schema.get("minItems", 0)))]
    if "enum" in schema:
        return schema["enum"][0]
    if kind in ("integer", "number"):
        return min(max(1, schema.get("minimum", 1)), schema.get("maximum", 1))
    if kind == "boolean":
        return False
    form = schema.get("format")
    if form == "uuid":
        return new_id()
    if form in ("date", "date-time"):
        return "2099-01-01" if form == "date" else "2099-01-01T00:00:00Z"
    if name in ("email", "contact"):
        return f"matrix-{uuid.uuid4().hex}@matrix.example"
    return ("matrix " * 6)[:max(schema.get("minLength", 6), 6)].ljust(schema.get("minLength", 1), "x")[:schema.get("maxLength", 40)]
