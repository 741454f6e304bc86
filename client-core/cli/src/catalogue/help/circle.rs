//! Help about circles in Spanish.

/// Command path, or command path and argument, and what it is.
pub(super) const SPANISH: &[(&str, &str)] = &[
    ("circle", "Círculos: apoyo mutuo entre varias personas."),
    (
        "circle create",
        "Crea un círculo para varias personas: pregunta para qué es.",
    ),
    (
        "circle create/name",
        "Cómo se llama, como lo verá la gente.",
    ),
    ("circle create/with", "Una colega que lo facilita contigo."),
    ("circle create/about", "Para qué es, dentro de una vista."),
    (
        "circle invite",
        "Invita a la persona de una conversación a un círculo que facilitas; ella decide.",
    ),
    ("circle invite/circle", "El número del círculo en la lista."),
    (
        "circle invite/conversation",
        "El número de la conversación en la lista.",
    ),
    (
        "circle accept",
        "Dice que sí a una invitación: pregunta el nombre que quieres tener en el círculo.",
    ),
    (
        "circle accept/circle",
        "Cómo se llama el círculo, si te invitan a varios.",
    ),
    ("circle accept/alias", "Tu nombre ahí, dentro de una vista."),
    (
        "circle refuse",
        "Dice que no a una invitación; nadie se entera.",
    ),
    (
        "circle refuse/circle",
        "Cómo se llama el círculo, si te invitan a varios.",
    ),
    (
        "circle let-in",
        "Deja entrar de nuevo a quien volvió, cuando sabes que es ella.",
    ),
    ("circle let-in/circle", "El número del círculo en la lista."),
    ("circle let-in/alias", "Su nombre ahí."),
    (
        "circle remove",
        "Saca a alguien de un círculo que facilitas.",
    ),
    ("circle remove/circle", "El número del círculo en la lista."),
    ("circle remove/alias", "Su nombre ahí."),
    (
        "side",
        "Abre una sala sobre una conversación solo para colegas; la persona nunca la ve.",
    ),
    (
        "side/conversation",
        "El número de la conversación en la lista.",
    ),
    ("side/colleagues", "Quiénes entran."),
];
