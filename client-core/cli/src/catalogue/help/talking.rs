//! Help in Spanish for what is done beside talking: summaries, hand-overs, the team's notes.

/// Command path, or command path and argument, and what it is.
pub(super) const SPANISH: &[(&str, &str)] = &[
    (
        "summary",
        "Muestra el resumen de lo que ya se contó, lo escribe de nuevo o lo borra.",
    ),
    (
        "summary/conversation",
        "El número de la conversación en la lista.",
    ),
    ("summary/edit", "Lo escribe de nuevo: lo pregunta entero."),
    (
        "summary/erase",
        "Lo borra, también del servidor y de los dispositivos de quienes te acompañan.",
    ),
    ("summary/text", "Todo el resumen, dentro de una vista."),
    (
        "yes/from_now",
        "No leerá nada de antes, tampoco el resumen.",
    ),
    (
        "shift/buddy",
        "Una colega que aprende a tu lado: se nombra a cada persona que respondes en este turno, y ella decide.",
    ),
    ("propose/purpose", "Para qué."),
    (
        "board",
        "Escribe la fila del tablero de una conversación, solo para el equipo: pregunta cada línea.",
    ),
    (
        "board/conversation",
        "El número de la conversación en la lista, o como la llama la mesa.",
    ),
    ("board/state", "Cómo está, dentro de una vista."),
    ("board/next", "Qué sigue, dentro de una vista."),
    ("board/safety", "Qué cuidar, dentro de una vista."),
    (
        "notes",
        "Escribe las notas del equipo sobre una conversación: pregunta cada línea. Se borran cuando termina.",
    ),
    (
        "notes/conversation",
        "El número de la conversación en la lista, o como la llama la mesa.",
    ),
    ("notes/needs", "Qué necesita, dentro de una vista."),
    ("notes/agreements", "Qué se acordó, dentro de una vista."),
    ("notes/risks", "Qué riesgos hay, dentro de una vista."),
    (
        "notes/referrals",
        "A dónde se canalizó, dentro de una vista.",
    ),
    ("notes/next", "Qué sigue, dentro de una vista."),
    (
        "help-now",
        "Pide a una coordinadora en una conversación, ya.",
    ),
    ("help-now/conversation", "Su número en la lista."),
    (
        "close",
        "Cierra una conversación por ahora: pregunta por qué, y solo lo sabe la mesa. Aquí no queda nada de ella.",
    ),
    ("close/conversation", "Su número en la lista."),
    ("close/reason", "Por qué, en vez de preguntarlo."),
    (
        "close/block",
        "Después de un abuso: la mesa deja de responder en esa conversación.",
    ),
    (
        "check-out",
        "Dice si te quedas con algo difícil después de tu turno: lo pregunta. Solo si quieres hablarlo se avisa a la coordinación.",
    ),
    ("check-out/answer", "La respuesta, en vez de preguntarla."),
    (
        "debrief",
        "Escribe una nota para ti después de algo difícil: la pregunta. Se queda en este dispositivo.",
    ),
    (
        "debrief/share",
        "La comparte solo con esta coordinadora, en vez de guardarla.",
    ),
    ("debrief/text", "La nota, dentro de una vista."),
    ("words", "Muestra lo que se te dijo solo a ti, y tus notas."),
    ("words/forget", "Olvida todo eso."),
    (
        "hand-over",
        "Avisa a la persona cuándo termina tu turno y con quién puede seguir mientras tanto: pregunta para qué.",
    ),
    (
        "hand-over/conversation",
        "El número de la conversación en la lista.",
    ),
    (
        "hand-over/colleague",
        "El alias de una colega: con el sí de la persona llega, lee el resumen, y tú sales.",
    ),
    ("hand-over/until", "Cuándo termina tu turno: 20:00"),
    ("hand-over/back", "Cuándo vuelves: 2026-11-26 16:00"),
    (
        "hand-over/reason",
        "Por qué esa colega, dentro de una vista.",
    ),
];
