//! Help in Spanish, by the names of commands and their arguments; in English it stands in `args`.

mod circle;
mod talking;

use clap::{Arg, ArgAction, Command};

const OPTIONS: &str = "Opciones";
const CONVERSATION: &str = "El número de la conversación en la lista.";
const SURE: &str = "Ya leíste lo que hay que saber antes: no se pregunta.";

/// Command path, or command path and argument, and what it is.
const SPANISH: &[(&str, &str)] = &[
    (
        "",
        "Habla con una línea de ayuda, o responde en una: tus mensajes se cifran en este dispositivo y el servidor no puede leerlos.",
    ),
    (
        "/profile",
        "Carpeta del perfil, o un nombre; cada persona y cada mesa tiene el suyo.",
    ),
    (
        "/passphrase_file",
        "Archivo con la contraseña, en vez de preguntarla.",
    ),
    ("/lang", "Idioma, en vez del de LANG."),
    ("/json", "Escribe un objeto JSON por línea, para programas."),
    (
        "/trust",
        "Archivo PEM con certificados en los que también confiar, si el servidor tiene uno propio.",
    ),
    (
        "/proxy",
        "Conecta por este proxy, para Tor: socks5h://127.0.0.1:9050",
    ),
    ("/timeout", "Segundos que se espera una respuesta."),
    ("/help", HELP),
    ("/version", VERSION),
    (
        "write",
        "Escribe a una mesa: pregunta su enlace y lo que quieras contar.",
    ),
    ("write/text", "No se toma."),
    ("wait", "Espera a que alguien responda."),
    (
        "talk",
        "Muestra una conversación mientras ocurre y envía lo que escribes.",
    ),
    ("talk/conversation", "Su número en la lista."),
    ("say", "Envía un mensaje: lo pregunta."),
    (
        "say/conversation",
        "El número de la conversación en la lista.",
    ),
    ("say/text", "Qué decir, dentro de una vista."),
    (
        "add",
        "Agrega algo a tu primer mensaje, mientras esperas: lo pregunta.",
    ),
    ("add/text", "Qué agregar, dentro de una vista."),
    ("list", "Muestra tus conversaciones."),
    ("read", "Muestra lo que se dijo en una conversación."),
    ("read/conversation", "Su número en la lista."),
    ("who", "Muestra quién está en una conversación."),
    ("who/conversation", "Su número en la lista."),
    (
        "code",
        "Muestra las seis palabras para comparar por otro medio con quien está en la conversación.",
    ),
    ("code/conversation", "Su número en la lista."),
    ("yes", "Dice que sí: quien se propuso puede sumarse."),
    ("yes/alias", "A quién, si hay varias propuestas."),
    ("no", "Dice que no: quien se propuso queda fuera."),
    ("no/alias", "A quién, si hay varias propuestas."),
    ("remove", "Saca a una acompañante de tu conversación."),
    (
        "remove/conversation",
        "El número de la conversación en la lista.",
    ),
    ("remove/alias", "A quién."),
    (
        "ask-desk",
        "Pide a alguien a la mesa, si nadie responde en tu conversación: pregunta qué debe saber.",
    ),
    (
        "ask-desk/text",
        "Lo que la mesa debe saber, dentro de una vista.",
    ),
    (
        "show",
        "Muestra una imagen en una conversación por un tiempo: se le quita lo que dice de lugar, hora y aparato.",
    ),
    ("show/conversation", CONVERSATION),
    ("show/file", "El archivo."),
    ("show/sure", SURE),
    ("show/span", "Por cuánto tiempo: 24h, 30m; como máximo 72h."),
    (
        "keep",
        "Guarda en una conversación una copia cifrada de un archivo, sin cambios, para después.",
    ),
    ("keep/conversation", CONVERSATION),
    ("keep/file", "El archivo."),
    ("keep/sure", SURE),
    (
        "fingerprint",
        "Dice a una conversación la huella de un archivo: el archivo no se envía.",
    ),
    ("fingerprint/conversation", CONVERSATION),
    ("fingerprint/file", "El archivo."),
    ("fingerprint/sure", SURE),
    (
        "files",
        "Muestra los archivos de una conversación y sigue con los que van en camino.",
    ),
    ("files/conversation", "Su número en la lista."),
    (
        "open",
        "Abre un archivo de una conversación y lo guarda donde digas, sin cifrar.",
    ),
    ("open/conversation", CONVERSATION),
    ("open/file", "El número del archivo."),
    ("open/to", "Dónde guardarlo."),
    (
        "export",
        "Saca una copia cifrada: un zip con el original y su comprobante, que se revisa sin este programa.",
    ),
    ("export/conversation", CONVERSATION),
    ("export/file", "El número del archivo."),
    ("export/to", "Dónde guardar el zip."),
    (
        "leave",
        "Sale de una conversación, o retira tu mensaje mientras esperas.",
    ),
    ("leave/conversation", "Su número en la lista."),
    (
        "phrase",
        "Te da una frase para volver desde cualquier dispositivo: la muestra una vez y pregunta una palabra.",
    ),
    (
        "phrase/whole",
        "Quien vuelva con ella ve también lo que se dijo en los últimos días, no solo lo nuevo.",
    ),
    (
        "return",
        "Vuelve con tu frase: pregunta el enlace de la mesa y la frase.",
    ),
    (
        "return/stop",
        "Deja un regreso que habías empezado; tu frase sigue sirviendo.",
    ),
    (
        "erase",
        "Borra una conversación, o lo que escribiste mientras esperas: aquí, en el servidor y en los dispositivos de quienes te acompañan. Pregunta si es seguro.",
    ),
    ("erase/conversation", "Su número en la lista."),
    (
        "erase/now",
        "Borra de una vez, en lugar de en un minuto: más rápido, y el servidor puede ver mejor qué iba junto.",
    ),
    ("erase/sure", "Es seguro: no se pregunta."),
    (
        "shift",
        "Tu turno: muestra quién espera y recibe órdenes mientras las escribes.",
    ),
    ("shift/change", "Solo empieza o termina el turno."),
    (
        "shift/capacity",
        "Conversaciones vivas que tomas, de 1 a 5; por encima no se te ofrece a nadie más.",
    ),
    ("queue", "Muestra quién espera."),
    ("claim", "Responde a alguien que espera."),
    ("claim/row", "El número en la fila."),
    (
        "pass",
        "Deja a alguien para una colega, antes de responder: sigue esperando, y no se le avisa a nadie.",
    ),
    ("pass/row", "El número en la fila."),
    (
        "dismiss",
        "Quita de la fila sin responder, donde no escribió nadie de verdad: pregunta si es seguro.",
    ),
    ("dismiss/rows", "Los números en la fila."),
    ("dismiss/sure", "Es seguro; no se pregunta."),
    (
        "propose",
        "Propone a una colega; la persona decide: pregunta para qué.",
    ),
    (
        "propose/conversation",
        "El número de la conversación en la lista.",
    ),
    ("propose/colleague", "El alias de la colega."),
    ("propose/reason", "Para qué, dentro de una vista."),
    ("propose/reads", "Lo que la colega podrá leer."),
    (
        "pause",
        "Pausa: durante un cuarto de hora la fila no te ofrece a nadie.",
    ),
    (
        "desk board",
        "Muestra el tablero, con las notas del equipo y quién pide ayuda.",
    ),
    ("desk come", "Coordinación: responde a quien pide ayuda."),
    (
        "desk come/whose",
        "Como llama la mesa a la conversación, si hay varias.",
    ),
    (
        "desk unblock",
        "Vuelve a responder a una persona que se bloqueó.",
    ),
    (
        "desk unblock/whose",
        "Como llama la mesa a su conversación.",
    ),
    ("desk", "El equipo de una línea de ayuda."),
    ("desk create", "Crea una mesa y sus llaves."),
    ("desk create/relay", "La dirección del servidor: https://…"),
    ("desk create/name", "Quién responde, como lo verá la gente."),
    ("desk create/alias", "Tu nombre ahí, como lo verá la gente."),
    ("desk create/about", "Lo que la mesa dice de sí."),
    ("desk create/hours", "Cuándo responde alguien, en palabras."),
    ("desk create/wait", "Espera habitual en minutos, de y a."),
    ("desk create/languages", "Idiomas que se hablan."),
    (
        "desk show",
        "Muestra la mesa: su enlace, lo que dice su tarjeta, su equipo.",
    ),
    (
        "desk describe",
        "Cambia lo que la tarjeta de la mesa dice a todo el mundo.",
    ),
    (
        "desk describe/name",
        "Quién responde, como lo verá la gente.",
    ),
    ("desk describe/about", "Lo que la mesa dice de sí."),
    (
        "desk describe/hours",
        "Cuándo responde alguien, en palabras.",
    ),
    (
        "desk describe/week",
        "Cuándo responde alguien, para decir a la gente si es ahora: \"lun-vie 9:00-22:00, sáb 10:00-14:00\"; \"\" no dice nada.",
    ),
    (
        "desk describe/zone",
        "Zona horaria de esa semana: America/Mexico_City",
    ),
    (
        "desk pause",
        "Por ahora no responde nadie: se le dice a quien escribe, y su mensaje queda guardado.",
    ),
    ("desk resume", "La mesa vuelve a responder."),
    ("desk describe/wait", "Espera habitual en minutos, de y a."),
    ("desk describe/languages", "Idiomas que se hablan."),
    (
        "desk describe/only",
        "Estos textos son solo de un idioma, y los del otro se quedan como están.",
    ),
    (
        "desk invite",
        "Hace una invitación para una colega; se entrega en mano.",
    ),
    (
        "desk admit",
        "Deja entrar a quien usó una invitación: pregunta si ella ve las mismas seis palabras.",
    ),
    (
        "desk admit/invite",
        "El número de la invitación, si hay varias.",
    ),
    (
        "desk admit/words",
        "Las seis palabras que ella te dijo, dentro de una vista.",
    ),
    ("desk admit/role", "Lo que podrá hacer ahí."),
    ("desk revoke", "Retira una invitación."),
    ("desk revoke/invite", "Su número."),
    (
        "desk join",
        "Entra a una mesa con una invitación, o sigue donde estabas: la pregunta.",
    ),
    ("desk join/invite", "No se toma."),
    (
        "desk join/alias",
        "Tu nombre ahí, como lo verá la gente, en vez de preguntarlo.",
    ),
    (
        "desk remove",
        "Saca a una colega de la mesa y de sus conversaciones.",
    ),
    ("desk remove/alias", "A quién."),
    ("desk leave", "Sale de la mesa y de sus conversaciones."),
    (
        "desk successor",
        "Da a la mesa un grupo nuevo, cuando hay colegas que no pueden seguir el de antes. Necesita la llave raíz.",
    ),
    (
        "desk successor/without",
        "Quién no viene: sale de la mesa y de sus conversaciones.",
    ),
    ("desk renew-key", "Firma la siguiente llave de la mesa."),
    (
        "desk export-root",
        "Escribe la llave raíz, para guardarla fuera de esta máquina.",
    ),
    (
        "desk drop-root",
        "Olvida aquí la llave raíz, después de guardarla en otro lugar.",
    ),
    (
        "desk import-root",
        "Vuelve a tomar la llave raíz, de un archivo.",
    ),
    ("desk import-root/file", "El archivo que la tiene."),
    ("exit", "Cierra la vista."),
];

const HELP: &str = "Muestra esta ayuda.";
const VERSION: &str = "Muestra la versión.";

/// Words that clap writes itself, and what they are in Spanish.
const WORDS: &[(&str, &str)] = &[
    ("[OPTIONS]", "[OPCIONES]"),
    ("[default: ", "[si no se dice: "),
    ("[possible values: ", "[valores: "),
];

/// What stands for a value.
const VALUES: &[(&str, &str)] = &[
    ("NAME|FOLDER", "NOMBRE|CARPETA"),
    ("FILE", "ARCHIVO"),
    ("LANGUAGE", "IDIOMA"),
    ("LANGUAGES", "IDIOMAS"),
    ("SECONDS", "SEGUNDOS"),
    ("TEXT", "TEXTO"),
    ("NAME", "NOMBRE"),
    ("FROM-TO", "DE-A"),
    ("CONVERSATION", "CONVERSACIÓN"),
    ("COLLEAGUE", "COLEGA"),
    ("INVITE", "INVITACIÓN"),
    ("ROW", "NÚMERO"),
    ("NUMBER", "NÚMERO"),
    ("ROWS", "NÚMEROS"),
    ("CHANGE", "CAMBIO"),
    ("PATH", "RUTA"),
    ("ALIAS", "ALIAS"),
    ("TIME", "TIEMPO"),
    ("WHEN", "HORA"),
];

/// Headings in Spanish.
const TEMPLATE: &str = "{about}\n\nUso: {usage}\n\n{all-args}";

/// Puts a command and everything below it into Spanish.
pub(crate) fn in_spanish(command: Command) -> Command {
    translate(command, String::new())
}

/// The help that an error carries, with the words that clap writes itself in Spanish.
pub(crate) fn finish(error: &clap::Error) -> String {
    let help = error.render().to_string();
    WORDS.iter().fold(help, |help, (english, spanish)| {
        help.replace(english, spanish)
    })
}

fn translate(command: Command, path: String) -> Command {
    let below = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path} {name}")
        }
    };
    let names: Vec<String> = command
        .get_subcommands()
        .map(|c| c.get_name().to_owned())
        .collect();
    let mut command = command
        .mut_args(|argument| translate_argument(argument, &path))
        .subcommand_help_heading("Órdenes")
        .subcommand_value_name("ORDEN")
        .help_template(TEMPLATE)
        .disable_help_flag(true)
        .arg(flag("help", 'h', ArgAction::Help, HELP));
    if path.is_empty() {
        let version = flag("version", 'V', ArgAction::Version, VERSION);
        command = command.disable_version_flag(true).arg(version);
    }
    if let Some(about) = find(&path) {
        command = command.about(about).long_about(None);
    }
    for name in names {
        let path = below(&name);
        command = command.mut_subcommand(name, |command| translate(command, path));
    }
    command
}

fn flag(name: &'static str, short: char, action: ArgAction, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .short(short)
        .action(action)
        .help(help)
        .help_heading(OPTIONS)
}

fn translate_argument(argument: Arg, path: &str) -> Arg {
    let heading = if argument.is_positional() {
        "Datos"
    } else {
        "Opciones"
    };
    let argument = argument.help_heading(heading);
    let id = argument.get_id().to_string();
    let shown = argument.get_value_names().and_then(|names| names.first());
    let shown = shown.map_or_else(|| id.to_uppercase(), ToString::to_string);
    let value = VALUES.iter().find(|(english, _)| *english == shown);
    let argument = match value {
        Some(&(_, spanish)) => argument.value_name(spanish),
        None => argument,
    };
    match find(&format!("{path}/{id}")).or_else(|| find(&format!("/{id}"))) {
        Some(help) => argument.help(help),
        None => argument,
    }
}

fn find(name: &str) -> Option<&'static str> {
    SPANISH
        .iter()
        .chain(circle::SPANISH)
        .chain(talking::SPANISH)
        .find(|(found, _)| *found == name)
        .map(|&(_, text)| text)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn every_command_and_argument_has_help_in_both_languages() {
        let mut command = Cli::command();
        command.build();
        check(&command, String::new());
    }

    #[test]
    fn help_in_spanish_can_be_written() {
        let mut command = in_spanish(Cli::command());
        let help = command.render_long_help().to_string();
        assert!(help.contains("Órdenes") && help.contains("línea de ayuda"));
        assert!(!help.contains("Usage"));
    }

    fn check(command: &Command, path: String) {
        assert!(find(&path).is_some(), "no Spanish for the command {path:?}");
        assert!(
            command.get_about().is_some(),
            "no English for the command {path:?}"
        );
        for argument in command.get_arguments() {
            let name = argument.get_id();
            let own = find(&format!("{path}/{name}"));
            let general = find(&format!("/{name}"));
            assert!(own.or(general).is_some(), "no Spanish for {path}/{name}");
            assert!(
                argument.get_help().is_some(),
                "no English for {path}/{name}"
            );
        }
        for command in command.get_subcommands() {
            let name = command.get_name();
            let path = if path.is_empty() {
                name.to_owned()
            } else {
                format!("{path} {name}")
            };
            check(command, path);
        }
    }
}
