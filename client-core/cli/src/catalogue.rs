//! Everything the program says, in both languages side by side.
//!
//! To her: second person, present tense, short; never why; blames the system, never her.

mod filling;
pub(crate) mod help;

pub(crate) use filling::{alias, fill, words};

/// A language of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Language {
    Es,
    En,
}

impl Language {
    /// From what stands in `LC_ALL`, `LC_MESSAGES` or `LANG`; the first that says anything counts.
    pub(crate) fn of_environment(variables: impl IntoIterator<Item = String>) -> Self {
        let said = variables.into_iter().find(|value| !value.is_empty());
        if said.is_some_and(|value| value.starts_with("es")) {
            Self::Es
        } else {
            Self::En
        }
    }

    /// BCP 47 tag.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Es => "es",
            Self::En => "en",
        }
    }
}

/// Declares the texts: key, Spanish, English. `{}` is filled in, in order.
macro_rules! catalogue {
    ($($key:ident => $es:literal, $en:literal;)*) => {
        /// Names a text.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Key { $($key),* }

        impl Key {
            /// The text in a language.
            pub(crate) fn text(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$key, Language::Es) => $es, (Self::$key, Language::En) => $en,)*
                }
            }

            #[cfg(test)]
            const ALL: &'static [Self] = &[$(Self::$key),*];
        }
    };
}

catalogue! {
    // To a person who writes.
    LinkAsk => "Enlace de la mesa: ", "The desk's link: ";
    WriteAsk => "Con tus palabras, lo que quieras contar. No tiene que estar en orden.\nPara enviar: una línea con un solo punto. Para no enviar nada: Ctrl+C.", "In your own words, whatever you want to tell. It does not have to be in order.\nTo send: a line with only a full stop. To send nothing: Ctrl+C.";
    WriteAgain => "Escribes otra vez a la misma mesa, como si fuera la primera.", "You write to the same desk again, as if for the first time.";
    TextAsk => "Escribe tu mensaje. Para enviar: una línea con un solo punto. Para no enviar nada: Ctrl+C.", "Write your message. To send: a line with only a full stop. To send nothing: Ctrl+C.";
    LineCut => "La terminal cortó esa línea; llegó hasta: «…{}». Sigue desde ahí en otra línea.", "The terminal cut that line; it came as far as: “…{}”. Go on from there in another line.";
    Sending => "Enviando…", "Sending…";
    IntakeStored => "Llegó tu mensaje. Mensaje automático: una persona lo leerá. Suele tardar entre {} y {} minutos. Puedes seguir escribiendo (cobijo add), o salir y volver (cobijo wait); no pierdes tu lugar.", "Your message arrived. Automatic message: a person will read it. It usually takes {} to {} minutes. You can keep writing (cobijo add), or leave and come back (cobijo wait); you keep your place.";
    IntakeClosed => "Llegó tu mensaje. Mensaje automático: ahora no hay nadie. Volvemos {}; entonces lo leerá una persona. Puedes seguir escribiendo (cobijo add), o salir y volver (cobijo wait); no pierdes tu lugar.", "Your message arrived. Automatic message: nobody is here now. We are back {}; a person will read it then. You can keep writing (cobijo add), or leave and come back (cobijo wait); you keep your place.";
    IntakePaused => "Llegó tu mensaje. Mensaje automático: la mesa está en pausa y puede tardar más de lo normal. No es por ti. Tu mensaje queda guardado; puedes volver cuando quieras (cobijo wait).", "Your message arrived. Automatic message: the desk is paused and it may take longer than usual. It is not because of you. Your message is kept; you can come back whenever you want (cobijo wait).";
    OtherLines => "Si estás en peligro y puedes hacerlo sin riesgo, llama al 911. También existe la Línea de las Mujeres: 079, opción 1, las 24 horas. Son líneas del gobierno y pueden abrir un expediente.", "If you are in danger and can do it safely, call 911. There is also the Women's Line: 079, option 1, 24 hours. These are government lines and may open a file.";
    IntakeExpired => "Mensaje automático: la mesa lleva un tiempo sin abrir. Tu mensaje queda guardado; puede tardar más de lo normal. No es por ti.", "Automatic message: the desk has not opened for a while. Your message is kept; it may take longer than usual. It is not because of you.";
    AdditionStored => "Llegó lo que agregaste.", "What you added has arrived.";
    Waiting => "Esperando a que alguien responda. Lo que te pasa importa y no es tu culpa.", "Waiting for someone to answer. What is happening to you matters and it is not your fault.";
    Answered => "Alguien te responde. Para hablar: cobijo talk", "Someone answers you. To talk: cobijo talk";
    AnsweredLive => "Alguien te responde.", "Someone answers you.";
    PhraseOffer => "Si quieres poder volver desde otro dispositivo, pide una frase: cobijo phrase. No es obligatorio.", "If you want to be able to return from another device, ask for a phrase: cobijo phrase. You don't have to.";
    PhraseShown => "Tu frase para volver:\n{}\nCon estas 8 palabras puedes volver desde cualquier dispositivo. Quien las tenga puede entrar. Nadie puede recuperarlas por ti, ni la mesa.\nGuárdala donde nadie la busque: en tu memoria, en papel entre otras cosas, o con alguien de confianza. Evita fotos y notas que se sincronizan. Esta ventana la sigue mostrando hasta que la cierras.", "Your phrase to come back:\n{}\nWith these 8 words you can return from any device. Whoever has them can get in. Nobody can recover them for you, not even the desk.\nKeep it where nobody looks: in your memory, on paper among other things, or with someone you trust. Avoid photos and notes that sync. This window goes on showing it until you close it.";
    PhraseCheck => "Para comprobar que la tienes, escribe la palabra {}. Si no quieres una frase, solo pulsa Enter: ", "To check you have it, type word {}. If you want no phrase, just press Enter: ";
    PhraseWrongWord => "No es esa palabra. Míralas otra vez; la frase todavía no sirve.", "It is not that word. Look at them again; the phrase does not work yet.";
    PhraseRefused => "Está bien. No se guardó ninguna frase; las palabras que viste no sirven.", "That's fine. No phrase was kept; the words you saw do not work.";
    PhraseThere => "Ya tienes una frase; nadie puede mostrarla otra vez.", "You have a phrase already; nobody can show it again.";
    PhraseAsk => "Tu frase para volver (no se muestra): ", "Your phrase to come back (it is not shown): ";
    PhraseCount => "Una frase tiene ocho palabras.", "A phrase has eight words.";
    ReturnStopped => "Ya no se busca dónde estabas. Tu frase sigue sirviendo: cobijo return", "Where you were is not looked for any more. Your phrase still works: cobijo return";
    PhraseAmbiguous => "Así escritas, esas palabras no son de ninguna frase. Escríbelas completas, con o sin acentos.", "Typed like this, those words are no phrase. Type them whole, with or without accents.";
    PhraseNoWord => "Una de esas palabras no es de ninguna frase. Bastan sus primeras cuatro letras, con o sin acentos.", "One of those words is in no phrase. Their first four letters are enough, with or without accents.";
    PhraseMemory => "Este dispositivo no tiene memoria suficiente para preparar la frase.", "This device has too little memory to prepare the phrase.";
    DerivingPhrase => "Preparando la frase…", "Preparing the phrase…";
    Returning => "Buscando dónde estabas…", "Looking for where you were…";
    ReturnNew => "Mensajes nuevos: {}. Para verlos: cobijo read", "New messages: {}. To see them: cobijo read";
    PhraseKept => "Tu frase ya sirve para volver.", "Your phrase works now: you can come back with it.";
    PhraseNotKept => "Tu frase no se pudo renovar; quizá ya no sirve para volver. Acuerda una palabra clave con tu acompañante, o empieza otra conversación desde un dispositivo de confianza: cobijo write", "Your phrase could not be renewed; perhaps it no longer works to come back. Agree on a code word with your accompanier, or start another conversation from a device you trust: cobijo write";
    CameBack => "Ya estás otra vez en tu conversación. Tu otro dispositivo ya no puede leer lo nuevo. Para hablar: cobijo talk", "You are in your conversation again. Your other device can no longer read what is new. To talk: cobijo talk";
    CameBackWaiting => "Sigues esperando donde estabas; no perdiste tu lugar. Tu otro dispositivo ya no puede seguir. (cobijo wait)", "You go on waiting where you were; you kept your place. Your other device can't go on. (cobijo wait)";
    Paused => "Sesión en pausa en este dispositivo. Si no lo esperabas, puedes empezar otra conversación desde un dispositivo de confianza: cobijo write", "Session paused on this device. If you did not expect this, you can start another conversation from a device you trust: cobijo write";
    Unjoinable => "Se encontró dónde estabas, pero no se puede entrar desde aquí. Inténtalo otra vez más tarde, o empieza otra conversación: cobijo write", "Where you were was found, but it can't be entered from here. Try again later, or start another conversation: cobijo write";
    NothingFound => "Con esa frase no se encontró nada aquí. Revisa las palabras y el enlace. Nadie puede recuperar una frase: si la perdiste, empieza otra conversación (cobijo write). Si acordaste una palabra clave con tu acompañante, dísela.", "Nothing was found here with that phrase. Check the words and the link. Nobody can recover a phrase: if you lost it, start another conversation (cobijo write). If you agreed a code word with your accompanier, tell them.";
    Withdrawn => "Retiraste tu mensaje. La puerta queda abierta.", "You took your message back. The door stays open.";

    // In a conversation.
    You => "tú", "you";
    APerson => "la persona", "the person";
    Accompanier => "acompañante", "accompanier";
    Coordinator => "coordinación", "coordinator";
    DigitalSecurity => "especialista en seguridad digital", "digital security specialist";
    Lawyer => "especialista en derecho", "legal specialist";
    Psychologist => "especialista en psicología", "psychology specialist";
    ToAccompany => "acompañarte también", "being with you too";
    ToLearn => "aprender al lado de {}", "learning beside {}";
    ToHandOver => "seguir contigo cuando termine el turno de {}", "going on with you when {}'s shift ends";
    ToAdvise => "ayudar con lo que sabe", "helping with what they know";
    ToSupervise => "apoyar a {}", "supporting {}";
    Because => "{}: {}", "{}: {}";
    Member => "{} ({})", "{} ({})";
    Says => "{}: {}", "{}: {}";
    NotConfirmed => "{} (sin confirmar)", "{} (not confirmed)";
    NotSentYet => "{} (enviando)", "{} (sending)";
    Joined => "Llegó {}.", "{} has come in.";
    Left => "{} ya no está en esta conversación.", "{} is no longer in this conversation.";
    OtherDevice => "La persona sigue ahora desde otro dispositivo. Si dudas, comparen las seis palabras (cobijo code).", "The person goes on from another device now. If in doubt, compare the six words (cobijo code).";
    OtherOfName => "{} sigue aquí con otra llave. Puede ser otro aparato, u otra persona con el mismo nombre: si dudas, comparen las seis palabras (cobijo code).", "{} is here with another key. It may be another device, or somebody else of that name: if in doubt, compare the six words (cobijo code).";
    Missing => "Falta un mensaje de {}.", "A message from {} is missing.";
    NotAllowed => "{} intentó un cambio que no está permitido. Nada cambió.", "{} tried a change that is not allowed. Nothing has changed.";
    RefusedProposal => "La respuesta es no. Siguen igual.", "The answer is no. You go on as before.";
    ProposalAsk => "¿Quieres que se sume {}? Es {}. Serviría para {} Podrá leer: {}. Tú decides y puedes cambiar de opinión. (cobijo yes / cobijo no)",
        "Would you like {} to join? Role: {}. It would help with {} They could read: {}. You decide and can change your mind. (cobijo yes / cobijo no)";
    ProposalMade => "Propuesta: {} ({}), para {} Podrá leer: {}. La persona decide.",
        "Proposed: {} ({}), for {} They could read: {}. The person decides.";
    AlsoReadBy => "El resumen lo leerá también: {}. Para que nadie más lo lea: cobijo yes --from-now", "The summary will be read by {} too. So that nobody else reads it: cobijo yes --from-now";
    HandOver => "El turno de {} termina a las {}. ¿Prefieres esperar a que vuelva el {} o seguir con {}? {} leerá solo el resumen.", "{}'s shift ends at {}. Would you rather wait until {} or continue with {}? {} will read only the summary.";
    HandOverOpen => "El turno de {} termina a las {}. ¿Prefieres esperar a que vuelva o seguir con {}? {} leerá solo el resumen.", "{}'s shift ends at {}. Would you rather wait until they are back or continue with {}? {} will read only the summary.";
    HandOverWho => "{}\n{} es {}. {} (esperar: cobijo no / seguir: cobijo yes)", "{}\n{}: {}. {} (wait: cobijo no / continue: cobijo yes)";
    HandOverMade => "Avisaste que tu turno termina a las {} y propusiste a {} ({}). La persona decide.", "You have told that your shift ends at {}, and proposed {} ({}). The person decides.";
    ShiftEnds => "El turno de {} termina a las {}.", "{}'s shift ends at {}.";
    ShiftEndsBack => "El turno de {} termina a las {}. Vuelve el {}.", "{}'s shift ends at {}. They are back on {}.";
    SummaryTitle => "Lo que ya contaste (resumen)", "What you already told (summary)";
    SummaryBody => "Lo escribimos contigo para que no tengas que repetirlo. Puedes cambiarlo o borrarlo. (cobijo summary --edit / cobijo summary --erase)", "We write it with you so you don't have to repeat it. You can change or erase it. (cobijo summary --edit / cobijo summary --erase)";
    SummaryOfHers => "Lo que la persona ya contó (resumen)", "What the person already told (summary)";
    SummaryNone => "Todavía no hay resumen. Para escribirlo: cobijo summary {} --edit", "There is no summary yet. To write it: cobijo summary {} --edit";
    SummaryAsk => "Escribe el resumen, entero. Para guardarlo: una línea con un solo punto. Para dejarlo como está: Ctrl+C.", "Write the summary, all of it. To keep it: a line with only a full stop. To leave it as it is: Ctrl+C.";
    SummaryErased => "El resumen se borra: del servidor en un minuto, y de los dispositivos de quienes te acompañan cuando se conecten. No podemos borrar lo que alguien haya copiado a mano.", "The summary is being erased: from the server within a minute, and from your accompaniers' devices when they connect. We cannot erase what someone copied by hand.";
    ReadsFromNow => "desde ahora", "from now on";
    ReadsSummary => "solo el resumen", "only the summary";
    Refused => "Está bien. Seguimos igual.", "That's fine. We go on as before.";
    Accepted => "Listo. Ya puede leer lo que se escriba desde ahora.", "Done. They can read what is written from now on.";
    DeskOffers => "{} puede acompañarte y espera tu sí. (cobijo yes / cobijo no)", "{} can be with you and waits for your yes. (cobijo yes / cobijo no)";
    DeskOffersSummary => "{} puede acompañarte y espera tu sí. Leerá solo el resumen; si no quieres que lea nada de antes: cobijo yes --from-now. (cobijo yes / cobijo no)", "{} can be with you and waits for your yes. They will read only the summary; if you want them to read nothing from before: cobijo yes --from-now. (cobijo yes / cobijo no)";
    NotAdded => "No se sumó nadie: quien hizo la propuesta, o a quien nombraba, ya no es parte de la mesa. Puedes pedir a otra persona: cobijo ask-desk", "Nobody has come in: who proposed, or who was proposed, is no longer part of the desk. You can ask for somebody else: cobijo ask-desk";
    NoLongerAtDesk => "{} ya no es parte de la mesa, y sigue en esta conversación. Tú decides si se queda. Para que deje de leerla: cobijo remove {} \"{}\"", "{} is no longer part of the desk, and still in this conversation. You decide whether they stay. So that they no longer read it: cobijo remove {} \"{}\"";
    Former => "{} (ya no es de la mesa)", "{} (no longer of the desk)";
    // Files.
    EvidenceAbout => "Mostrar o guardar una prueba: {}.\nNo es obligatorio. No borres el original. Quitamos la ubicación de lo que ve tu acompañante.\nSi en la imagen aparece alguien menor de 18, no la envíes. Dinos y vemos otra forma.",
        "Show or keep evidence: {}.\nYou don't have to. Don't delete the original. We remove the location from what your accompanier sees.\nIf the image shows anyone under 18, do not send it. Tell us and we find another way.";
    EvidenceGoOn => "¿Seguir? [sí/no] ", "Go on? [yes/no] ";
    EvidenceShow => "Mostrar (se borra en {})", "Show (erased in {})";
    EvidenceKeep => "Guardar copia cifrada", "Keep encrypted copy";
    EvidencePrint => "Solo huella, sin enviar el archivo", "Fingerprint only, file is not sent";
    EvidenceSure => "Antes de enviar una prueba hay algo que leer: se muestra fuera de esta vista. Si ya lo leíste, agrega --sure", "Before evidence is sent there is something to read: it is shown outside this view. If you have read it, add --sure";
    EvidenceNot => "Está bien. No se envió nada.", "That's fine. Nothing was sent.";
    LabelAsk => "Si quieres, ponle un nombre; el que tiene en tu dispositivo no se envía. (Enter: sin nombre) ", "If you like, give it a name; the one it has on your device is not sent. (Enter: no name) ";
    FileShown => "{} muestra el archivo {} ({}). {}", "{} shows file {} ({}). {}";
    FileKept => "{} guarda una copia cifrada, archivo {} ({}). {}", "{} keeps an encrypted copy, file {} ({}). {}";
    FileFingerprint => "{}: huella de un archivo que no se envió ({}): {}, tomada {}", "{}: fingerprint of a file that was not sent ({}): {}, taken {}";
    FileNow => "Archivo {}: {}", "File {}: {}";
    FileOther => "archivo", "file";
    FileSending => "Enviando: {} de {}.", "Sending: {} of {}.";
    FileNotSent => "No se pudo enviar y nadie lo vio. Inténtalo otra vez.", "It could not be sent, and nobody saw it. Try again.";
    FileSent => "Enviado; se borra {}.", "Sent; erased {}.";
    FileUnopened => "Sin abrir; puede ser difícil de ver. Para abrirlo: cobijo open CONVERSACIÓN {} --to RUTA", "Not opened; it may be hard to look at. To open it: cobijo open CONVERSATION {} --to PATH";
    FileOpening => "Abriendo: {} de {}.", "Opening: {} of {}.";
    FileHere => "Está en este dispositivo, cifrado.", "It is on this device, encrypted.";
    FileOver => "Se acabó su tiempo: ya se borró.", "Its time is over: it is erased.";
    FileMissing => "Ya no se puede abrir: falta una parte.", "It can't be opened any more: a part is missing.";
    FileAltered => "Lo que llegó no es lo que se dijo; no se guardó nada.", "What came is not what was said; nothing was kept.";
    FileCantBeHad => "Ese archivo ya no se puede abrir. Pide que lo envíen otra vez.", "That file can't be opened any more. Ask for it to be sent again.";
    NoFiles => "No hay archivos en esa conversación.", "There are no files in that conversation.";
    FileToldShow => "Enviado. Tu acompañante lo puede abrir hasta {}; entonces se borra. No podemos borrar lo que alguien copie.", "Sent. Your accompanier can open it until {}; then it is erased. We cannot erase what someone copies.";
    FileToldKeep => "Enviado, y guardado aquí cifrado. Para sacarlo con su comprobante: cobijo export", "Sent, and kept here encrypted. To take it out with its manifest: cobijo export";
    FingerprintTold => "Se envió solo la huella. Guarda el archivo como está: si cambia, la huella ya no coincide.", "Only the fingerprint was sent. Keep the file as it is: if it changes, the fingerprint no longer matches.";
    FileSaved => "Se guardó donde dijiste, sin cifrar. Bórralo de ahí cuando no lo necesites: este programa ya no puede.", "It was saved where you said, not encrypted. Delete it there when you no longer need it: this program can't.";
    ExportHow => "Copia de una prueba, guardada con Cobijo.\n\n{} es el archivo original, sin cambios.\nmanifest.json dice su tamaño, su huella SHA-256 y cuándo se tomó, se envió o recibió, y se sacó (hora UTC del aparato de quien lo hizo).\n\nPara comprobar que no cambió, sin Cobijo:\n  sha256sum -c SHA256SUMS\n  (Windows: certutil -hashfile ARCHIVO SHA256)\nDebe dar: {}\n\nLa huella no dice quién hizo el archivo ni cuándo: dice que son los mismos bytes. No borres el original.\n",
        "A copy of evidence, kept with Cobijo.\n\n{} is the original file, unchanged.\nmanifest.json tells its size, its SHA-256 fingerprint and when it was taken, sent or received, and taken out (UTC, by the device of whoever did it).\n\nTo check that it has not changed, without Cobijo:\n  sha256sum -c SHA256SUMS\n  (Windows: certutil -hashfile FILE SHA256)\nIt must give: {}\n\nThe fingerprint does not tell who made the file, or when: it tells that the bytes are the same. Don't delete the original.\n";
    FileExported => "Se guardó el zip donde dijiste, sin cifrar. Dentro dice cómo comprobarlo sin este programa.", "The zip was saved where you said, not encrypted. Inside it says how to check it without this program.";
    InRoom => "En esta conversación: {}", "In this conversation: {}";
    Arriving => "{} (llegando)", "{} (arriving)";
    Code => "Seis palabras para comparar por otro medio: {}", "Six words to compare by other means: {}";
    NoCode => "Todavía no hay palabras que comparar.", "There are no words to compare yet.";
    Blocking => "Alguien está impidiendo que esta conversación avance. Puedes pedir a la mesa otra persona: cobijo ask-desk", "Someone is keeping this conversation from going on. You can ask the desk for somebody else: cobijo ask-desk";
    MessageWithdrawn => "Un mensaje que se mostró no contaba: quien lo escribió ya no estaba.", "A message that was shown did not count: its author had been removed.";
    ChangeRefused => "No se pudo cambiar quién está en la conversación.", "Who is in the conversation could not be changed.";
    StoppedBroken => "Este dispositivo ya no puede seguir la conversación. Pide ayuda a la mesa: cobijo ask-desk", "This device can't follow the conversation any more. Ask the desk: cobijo ask-desk";
    StoppedStale => "Pasó demasiado tiempo para seguir esta conversación con seguridad. Pide ayuda a la mesa: cobijo ask-desk", "Too much time has passed to go on here safely. Ask the desk: cobijo ask-desk";
    StoppedRules => "Esta conversación sigue reglas que este programa no conoce. Instala una versión más nueva.", "This conversation follows rules that this program does not know. Install a newer version.";
    StoppedRemoved => "Ya no estás en esta conversación.", "You are no longer in this conversation.";
    StoppedWiped => "La persona cerró y borró la conversación.", "The person closed and erased the conversation.";
    ErasedByHer => "[{}] La persona cerró y borró la conversación.", "[{}] The person closed and erased the conversation.";
    BeingErased => "[{}] Se está borrando.", "[{}] It is being erased.";
    EraseAsk => "Se borra aquí todo lo que se dijo, tu frase y lo que escribiste mientras esperabas. Se borra del servidor ahora, y de los dispositivos de quienes te acompañan cuando se conecten. En el servidor quedan, hasta que vence su plazo, celdas cifradas sin ningún mensaje: los cambios de quién estaba y las respuestas a tu llegada. Si alguien guarda copias de respaldo del servidor, ahí sigue cifrado lo de antes. No podemos borrar lo que alguien haya copiado a mano, ni lo que guarde un dispositivo que ya no se conecte. No se puede deshacer. ¿Borrar todo? [sí/no] ",
        "All that was said, your phrase and what you wrote while you waited is erased here. It is erased from the server now, and from your accompaniers' devices when they connect. On the server, until their time is up, encrypted cells without any message stay: changes of who was there, and the answers to your arrival. If somebody keeps backups of the server, what stood there before stays in them, encrypted. We cannot erase what someone copied by hand, nor what a device keeps that never connects again. This can't be undone. Erase everything? [yes/no] ";
    EraseWaitingAsk => "Se borra aquí y del servidor lo que escribiste, y tu frase. Tu primer mensaje queda cifrado en el buzón de la mesa, hasta que lo quite o venza su plazo; quien ya lo abrió pudo leerlo. No se puede deshacer. ¿Borrar todo? [sí/no] ",
        "What you wrote, and your phrase, is erased here and from the server. Your first message stays encrypted in the desk's mailbox until the desk removes it or its time is up; whoever has opened it may have read it. This can't be undone. Erase everything? [yes/no] ";
    EraseSure => "Eso no se puede deshacer. Lo que se borra y lo que queda se explica fuera de esta vista, con: cobijo erase. Si es seguro: /erase --sure", "That can't be undone. What is erased and what stays is explained outside this view, by: cobijo erase. If you are sure: /erase --sure";
    NotErased => "No se borró nada.", "Nothing was erased.";
    Erasing => "Borrando… Puede tardar un minuto.", "Erasing… It may take a minute.";
    Erased => "Se borró: aquí, y del servidor todo lo que este programa puede borrar. De los dispositivos de quienes te acompañan se borra cuando se conecten. La puerta queda abierta.",
        "Erased: here, and from the server all that this program can erase. From your accompaniers' devices it is erased when they connect. The door stays open.";
    ErasedUntold => "Se borró: aquí, y del servidor todo lo que este programa puede borrar. Ya no se puede avisar a los dispositivos de quienes te acompañaron: lo que guarden sigue ahí.",
        "Erased: here, and from the server all that this program can erase. Your accompaniers' devices can't be told any more: what they keep stays there.";
    ErasedLetter => "Se borró lo que escribiste, aquí y del servidor. La puerta queda abierta.", "What you wrote is erased, here and from the server. The door stays open.";
    NotErasedYet => "Aquí ya no queda nada. En el servidor todavía falta una parte, o avisar a quienes te acompañan: sigue solo la próxima vez que uses cobijo con este perfil (cobijo list).",
        "Nothing is left here. On the server a part still has to be erased, or those who are with you to be told: it goes on by itself the next time that you use cobijo with this profile (cobijo list).";
    LeftForGood => "Saliste de la conversación. Gracias por la confianza. La puerta queda abierta. (cobijo write)", "You have left the conversation. Thank you for your trust. The door stays open. (cobijo write)";
    LeftConversation => "Saliste de la conversación.", "You have left the conversation.";
    NoConversations => "Todavía no hay conversaciones.", "There are no conversations yet.";
    Conversation => "[{}] {}", "[{}] {}";
    ConversationEnded => "[{}] {} (terminada)", "[{}] {} (ended)";
    TalkHint => "Escribe y pulsa Enter para enviar. /who, /code, /leave; /exit para salir de esta vista.", "Type, and press Enter to send. /who, /code, /leave; /exit to leave this view.";

    // Circles.
    Circle => "Círculo «{}»: {}", "Circle “{}”: {}";
    CircleInvited => "Te invitan al círculo «{}». Facilitan: {}. Hoy son {}. {}\nLas demás verán el nombre que elijas ahí, y nada más de ti. Para entrar: cobijo circle accept. Para no entrar: cobijo circle refuse; nadie se entera.", "You are invited to the circle “{}”. Facilitated by: {}. They are {} today. {}\nThe others will see the name that you choose there, and nothing else of you. To come in: cobijo circle accept. Not to: cobijo circle refuse; nobody is told.";
    InvitedHint => "Te invitan a un círculo. Para ver quién está y qué verían de ti: cobijo list", "You are invited to a circle. To see who is there and what they would see of you: cobijo list";
    PseudonymAsk => "El nombre que quieres tener ahí; mejor uno que no uses en otro lugar: ", "The name that you want there; better one that you use nowhere else: ";
    CircleAboutAsk => "Para qué es el círculo; lo lee quien decide si entra. Para terminar: una línea con un solo punto.", "What the circle is for; whoever decides to come in reads it. To end: a line with only a full stop.";
    CircleWaits => "Va en camino. Quien facilita te deja entrar; entonces el círculo está en tu lista (cobijo list).", "It is on its way. Whoever facilitates lets you in; then the circle is in your list (cobijo list).";
    CircleRefused => "No entras al círculo. Nadie se entera.", "You stay out of the circle. Nobody is told.";
    NoCircleInvite => "No tienes ninguna invitación a un círculo por responder.", "You have no invitation to a circle to answer.";
    WhichCircle => "Te invitan a varios círculos. Di a cuál, por su nombre.", "You are invited to several circles. Say which, by its name.";
    LeftCircle => "Saliste del círculo. Aquí no queda nada de él. La puerta queda abierta.", "You have left the circle. Nothing of it is left here. The door stays open.";
    ErasedCircle => "Saliste del círculo, y se borró: aquí todo, y del servidor lo que tú escribiste. Lo que las demás ya leyeron sigue con ellas.", "You have left the circle, and it is erased: all of it here, and from the server what you wrote. What the others have read stays with them.";
    CircleCreated => "El círculo existe. Invita desde una conversación: cobijo circle invite CÍRCULO CONVERSACIÓN", "The circle exists. Invite from a conversation: cobijo circle invite CIRCLE CONVERSATION";
    InvitedIntoCircle => "Quedó invitada. Ella decide; su no es silencioso.", "She is invited. She decides; her no is silent.";
    AliasStands => "Aceptó entrar con un nombre que ya está en el círculo o es de quien facilita. Pídele otro, e invítala de nuevo (cobijo circle invite).", "She said yes under a name that stands in the circle already or is a facilitator's. Ask her for another one, and invite her again (cobijo circle invite).";
    AsksAgain => "[{}] {} pide volver a entrar desde otro dispositivo. Antes, pregúntale en su conversación algo que solo ella sepa: también podría ser quien tiene su frase. Para dejarla entrar: cobijo circle let-in {} «{}»", "[{}] {} asks to come in again from another device. First ask her in her conversation what only she knows: it might be whoever has her phrase. To let her in: cobijo circle let-in {} “{}”";
    LetIn => "Ya está de nuevo en el círculo. No ve lo de antes.", "She is in the circle again. She sees nothing from before.";
    NotFacilitator => "Eso solo lo hace quien facilita el círculo.", "Only a facilitator of the circle can do that.";
    SideRoom => "Sala del equipo: {}", "Team room: {}";
    SideRoomBeside => "Sala del equipo sobre la conversación {}: {}", "Team room about conversation {}: {}";
    SideOpened => "La sala del equipo está abierta. La persona no la ve. Se borra cuando termina su conversación.", "The team room is open. The person does not see it. It is erased when her conversation ends.";

    // To a team.
    DeskCreated => "La mesa existe. Este es su enlace, para publicarlo:\n{}", "The desk exists. This is its link, to be published:\n{}";
    HostHint => "Quien administra el servidor tiene que alojarla. Su identificador: {}", "The relay's operator has to host it. Its id: {}";
    CardPublished => "La mesa está abierta: su tarjeta de hoy está publicada.", "The desk is open: its card of today is published.";
    CardNotHosted => "El servidor todavía no aloja esta mesa; se intenta de nuevo cada vez que se use este perfil.", "The relay does not host this desk yet; it is tried again whenever this profile is used.";
    CardKeyExpired => "La llave de la mesa venció; la coordinación tiene que renovarla: cobijo desk renew-key", "The desk key has expired; a coordinator has to renew it: cobijo desk renew-key";
    CardNotPoster => "La tarjeta de la mesa todavía no te nombra; la coordinación tiene que publicarla de nuevo.", "The desk's card does not name you yet; a coordinator has to publish it again.";
    CardConflict => "En el servidor hay una tarjeta de esta mesa que no se puede aceptar. Avisa a la coordinación.", "A card of this desk that can't be accepted stands at the relay. Tell a coordinator.";
    CardUnreachable => "Todavía no se pudo publicar la tarjeta; se intenta de nuevo.", "The card could not be published yet; it is tried again.";
    UnknownMailbox => "La tarjeta de la mesa, publicada por {}, nombra un buzón que la mesa no conoce: quien escriba ahí puede llegar solo a esa persona. Avisa a la coordinación.", "The desk's card, published by {}, names a mailbox that the desk does not know: whoever writes there may reach that person alone. Tell a coordinator.";
    OftenTaken => "Hoy {} quiso proponerte muchas veces. Si no fue por personas de verdad, nadie más puede proponerte mientras siga: avisa a la coordinación.", "{} has set out to propose you many times today. Where there are no real people behind it, nobody else can propose you while it goes on: tell a coordinator.";
    Somebody => "alguien", "somebody";
    DeskKeyExpires => "La llave de la mesa vence en {} días: cobijo desk renew-key", "The desk key expires in {} days: cobijo desk renew-key";
    DeskKeyReceived => "Hay una llave nueva de la mesa.", "There is a new desk key.";
    Invited => "Invitación {}, para una sola persona y 48 horas. Entrégala en mano:\n{}", "Invitation {}, for one person and 48 hours. Hand it over in person:\n{}";
    InviteHint => "Después: cobijo desk admit", "Then: cobijo desk admit";
    WaitingForNewcomer => "Esperando a que use la invitación…", "Waiting for the invitation to be used…";
    NewcomerArrived => "{} usó la invitación {}. Compara con ella estas seis palabras: {}", "{} used invitation {}. Compare these six words with her: {}";
    NewcomerAsk => "¿Ve las mismas seis palabras? [sí/no] ", "Are the six words the same there? [yes/no] ";
    NotYesOrNo => "Escribe si o no.", "Type yes or no.";
    InviteAsk => "Tu invitación: ", "Your invitation: ";
    AliasAsk => "Tu nombre en la mesa, como lo verá la gente: ", "Your name in the desk, as people will see it: ";
    ReasonAsk => "¿Para qué? Lo lee la persona: ", "What for? The person reads it: ";
    NewcomerJoined => "Ya es parte de la mesa.", "She is part of the desk now.";
    InviteExpired => "La invitación {} venció.", "Invitation {} has expired.";
    InviteRevoked => "La invitación {} ya no sirve.", "Invitation {} no longer works.";
    InviteUnusable => "Con la invitación {} no se pudo entrar. Haz otra.", "Invitation {} could not be used to come in. Make another one.";
    JoinWords => "Compara estas seis palabras con quien te invitó: {}", "Compare these six words with whoever invited you: {}";
    WaitingForAdmission => "Esperando a que te dejen entrar…", "Waiting to be let in…";
    JoinedDesk => "Ya eres parte de la mesa. Para empezar: cobijo shift", "You are part of the desk now. To begin: cobijo shift";
    NotRemoved => "Todavía no se pudo sacar a esa persona de la mesa. Se intentará otra vez.", "That person could not be removed from the desk yet. It will be tried again.";
    CardStillNames => "El servidor no recibe la tarjeta nueva, y la de ahora todavía nombra a {}. Esa persona sale de la mesa de todos modos; el cambio de la tarjeta se sigue intentando. Avisa a quien administra el servidor.", "The relay does not take the new card, and the present one still names {}. That person is removed from the desk all the same, and the card is tried again. Tell the relay's operator.";
    DeskNamesRemoved => "La tarjeta todavía nombra a alguien que ya no está en la mesa. Se intenta cambiarla otra vez cada vez que se use este perfil.", "The card still names somebody who is no longer in the desk. Changing it is tried again whenever this profile is used.";
    LeftDesk => "Saliste de la mesa y de sus conversaciones. Gracias por acompañar.", "You have left the desk and its conversations. Thank you for accompanying.";
    RemovedFromDesk => "Ya no eres parte de la mesa.", "You are no longer part of the desk.";
    DeskStopped => "Este perfil ya no puede seguir a la mesa. Avisa a la coordinación: puede darle a la mesa un grupo nuevo (cobijo desk successor), y este perfil sigue solo la próxima vez que lo abras. O pide una invitación nueva y úsala aquí (cobijo desk join).", "This profile can't follow the desk any more. Tell a coordinator: they can give the desk a new group (cobijo desk successor), and this profile goes on by itself the next time you open it. Or ask for a new invitation and use it here (cobijo desk join).";
    DeskGoesOn => "La mesa sigue en un grupo nuevo, y tú en ella.", "The desk goes on in a new group, and you with it.";
    MakingSuccessor => "Haciendo el grupo nuevo…", "Making the new group…";
    SuccessorMade => "La mesa tiene un grupo nuevo. Cada colega entra cuando abre su perfil.", "The desk has a new group. Each colleague comes in when they open their profile.";
    NotBrought => "No se pudo traer a {}. Necesita una invitación nueva: cobijo desk invite", "{} could not be brought along. They need a new invitation: cobijo desk invite";
    ShiftOn => "Empezó tu turno. Se puede: queue, claim N, pass N, dismiss N --sure, list, read N, say N texto, propose N alias --reason \"…\", exit", "Your shift has begun. You can type: queue, claim N, pass N, dismiss N --sure, list, read N, say N text, propose N alias --reason \"…\", exit";
    BadLine => "No entiendo esa orden. Se puede: queue, claim N, dismiss N --sure, list, read N, say N texto, propose N alias --reason \"…\", exit", "That command isn't understood. You can type: queue, claim N, dismiss N --sure, list, read N, say N text, propose N alias --reason \"…\", exit";
    ShiftOff => "Terminaste tu turno.", "Your shift is over.";
    QueueFull => "Tienes las conversaciones que dijiste: {} de {}. No se te ofrece a nadie más hasta que termine una o salgas de ella (cobijo leave N).", "You have as many conversations as you said: {} of {}. You are offered nobody else until one ends or you leave it (cobijo leave N).";
    QueueEmpty => "Nadie espera.", "Nobody is waiting.";
    QueueRow => "{}. {}: espera desde hace {} min, {}, {}{}", "{}. {}: waiting for {} min, {}, {}{}";
    Called => "{}: {}", "{}: {}";
    QueueFirst => "primera vez", "first time";
    QueueCameBack => "volvió", "came back";
    QueueRescue => "no puede seguir su conversación", "can't follow her conversation";
    QueueClaimed => " (una colega está respondiendo)", " (a colleague is answering)";
    QueueAnswered => " (según {}, ya se atendió o se quitó de la fila; puedes responder de todos modos)", " (answered or dismissed, as {} says; you can answer anyway)";
    QueueUnanswerable => " (no se le puede responder)", " (can't be answered)";
    QueuePassed => " (la pasaste; puedes tomarla si cambias de opinión)", " (you passed; you can still answer if you change your mind)";
    Passed => "Está bien. Sigue esperando a una colega, y nadie ve que la pasaste.", "That's fine. They go on waiting for a colleague, and nobody sees that you passed.";
    QueueClaiming => " (estás respondiendo)", " (you are answering)";
    Claiming => "Respondiendo…", "Answering…";
    ClaimWon => "La conversación {} es tuya. Para hablar: say {} …", "Conversation {} is yours. To talk: say {} …";
    Offered => "Le llegó tu ofrecimiento. La persona decide.", "Your offer has arrived. The person decides.";
    ClaimLost => "Una colega respondió primero, o la persona ya no espera.", "A colleague answered first, or the person no longer waits.";
    DismissAsk => "Quien escribió no recibirá respuesta ni aviso, y su mensaje se borra del servidor para toda la mesa. ¿Quitar de la fila? [sí/no] ", "Whoever wrote gets no answer and no word of it, and the message is erased from the relay for the whole desk. Take it off the queue? [yes/no] ";
    DismissSure => "Eso no se puede deshacer: quien escribió no recibirá respuesta ni aviso. Si es seguro: dismiss N --sure", "That can't be undone: whoever wrote gets no answer and no word of it. If you are sure: dismiss N --sure";
    Dismissed => "Ya no está en la fila.", "It is no longer in the queue.";
    NotDismissed => "Sigue en la fila.", "It stays in the queue.";
    Proposed => "Propuesto. La persona decide.", "Proposed. The person decides.";
    ConversationJoined => "La persona dijo que sí: ya estás en la conversación {}.", "The person said yes: you are in conversation {} now.";
    RootExported => "Llave raíz de la mesa. Quien la tenga puede hacerse pasar por la mesa. Guárdala fuera de esta máquina:\n{}", "The desk's root key. Whoever has it can pose as the desk. Keep it off this machine:\n{}";
    RootDropped => "La llave raíz ya no está en este perfil.", "The root key is no longer in this profile.";
    RootImported => "La llave raíz está otra vez en este perfil.", "The root key is in this profile again.";
    DeskKeyRenewed => "La llave de la mesa está renovada.", "The desk key is renewed.";
    Removed => "Ya no es parte.", "Removed.";
    DeskTitle => "Mesa: {}", "Desk: {}";
    DeskName => "Nombre: {}", "Name: {}";
    DeskAbout => "Dice de sí: {}", "Says of itself: {}";
    DeskHours => "Horario: {}", "Hours: {}";
    DoorOpen => "Ahora hay alguien.", "Someone is here now.";
    DoorClosed => "Ahora no hay nadie. Volvemos {}.", "Nobody is here now. Back {}.";
    DoorPaused => "La mesa está en pausa: por ahora no responde nadie.", "The desk is paused: nobody answers for now.";
    When => "{} a las {} (hora de {})", "{} at {} ({} time)";
    Today => "hoy", "today";
    Tomorrow => "mañana", "tomorrow";
    Monday => "el lunes", "on Monday";
    Tuesday => "el martes", "on Tuesday";
    Wednesday => "el miércoles", "on Wednesday";
    Thursday => "el jueves", "on Thursday";
    Friday => "el viernes", "on Friday";
    Saturday => "el sábado", "on Saturday";
    Sunday => "el domingo", "on Sunday";
    DeskWait => "Espera: de {} a {} minutos. Idiomas: {}.", "Wait: {} to {} minutes. Languages: {}.";
    DeskOpen => "Hoy está abierta.", "It is open today.";
    DeskClosed => "Hoy todavía no está abierta: cobijo shift", "It is not open yet today: cobijo shift";
    DeskColleague => "{} ({}){}", "{} ({}){}";
    DeskUnavailable => ", todavía no se le puede proponer", ", can't be proposed yet";
    Done => "Listo.", "Done.";

    // The hand-over board, and looking after each other.
    BoardEmpty => "El tablero está vacío. Para escribir: cobijo board N", "The board is empty. To write: cobijo board N";
    BoardHint => "Corto, sin nombres ni palabras textuales. Enter deja la línea como está; un guion la quita.", "Short, without names or her own words. Enter leaves a line as it is; a hyphen takes it away.";
    BoardState => "Cómo está (ahora: {}): ", "Where things are (now: {}): ";
    BoardNext => "Siguiente paso (ahora: {}): ", "Next step (now: {}): ";
    BoardSafety => "Seguridad (ahora: {}): ", "Safety (now: {}): ";
    NotesNeeds => "Qué necesita (ahora: {}): ", "What she needs (now: {}): ";
    NotesAgreements => "Acuerdos (ahora: {}): ", "Agreements (now: {}): ";
    NotesRisks => "Riesgos (ahora: {}): ", "Risks (now: {}): ";
    NotesReferrals => "A dónde se canalizó (ahora: {}): ", "Where she was referred to (now: {}): ";
    BoardStateIs => "Cómo está: {}", "Where things are: {}";
    BoardNextIs => "Siguiente paso: {}", "Next step: {}";
    BoardSafetyIs => "Seguridad: {}", "Safety: {}";
    NotesNeedsAre => "Necesita: {}", "Needs: {}";
    NotesAgreementsAre => "Acuerdos: {}", "Agreements: {}";
    NotesRisksAre => "Riesgos: {}", "Risks: {}";
    NotesReferralsAre => "Canalizada a: {}", "Referred to: {}";
    ToldBy => "({}, hace {} días)", "({}, {} days ago)";
    RetoldBy => "(de antes de que llegaras, según {}; hace {} días)", "(from before you came, as {} tells it; {} days ago)";
    BoardWritten => "Escrito para el equipo. Se borra cuando termine la conversación.", "Written for the team. It is erased when the conversation is over.";
    BoardBlocked => "{}: bloqueada por {} (cobijo desk unblock)", "{}: blocked by {} (cobijo desk unblock)";
    SaidOver => "{} dijo que terminó {}, y tú sigues ahí: lo del tablero se vuelve a escribir. Si se repite, avisa a la coordinación.", "{} said that {} is over, and you are still there: what the board said is told again. If it goes on, tell a coordinator.";
    HelpAsked => "Se avisó a la coordinación. Te escribirá quien venga.", "The coordinators were told. You will see who comes.";
    HelpWanted => "AYUDA YA: la pide {} en {}. Para responder: cobijo desk come", "HELP NOW: asked for by {} in {}. To answer: cobijo desk come";
    HelpComes => "{} se encarga de {}.", "{} comes to {}.";
    NoHelp => "Nadie espera ayuda ahora.", "Nobody waits for help now.";
    UnclaimedFor => "Alguien espera desde hace {} minutos y nadie le ha respondido. (cobijo shift)", "Somebody has waited for {} minutes and nobody has answered. (cobijo shift)";
    WantsToTalk => "{} se queda con algo difícil y quiere hablarlo. Solo lo sabe la coordinación.", "{} is carrying something hard and wants to talk about it. Only the coordinators know.";
    DebriefOf => "Nota de {}, solo para ti: {}", "A note from {}, for you alone: {}";
    DebriefOwn => "Nota tuya: {}", "A note of yours: {}";
    WordsEmpty => "No hay nada.", "There is nothing.";
    Blocked => "{} bloqueó {} por abuso: la mesa deja de responderle ahí. Si no es así: cobijo desk unblock", "{} blocked {} for abuse: the desk no longer answers there. If that is wrong: cobijo desk unblock";
    Unblocked => "{} quitó el bloqueo de {}.", "{} took back the block of {}.";
    CloseAsk => "¿Por qué se cierra? Solo lo sabe la mesa.\n1 de acuerdo con ella  2 dejó de venir  3 canalizada  4 no es algo nuestro  5 abuso\n", "Why is it closed? Only the desk knows.\n1 agreed with her  2 she stopped coming  3 referred  4 not our scope  5 abuse\n";
    CloseWhich => "Escribe un número del 1 al 5.", "Type a number from 1 to 5.";
    BlockAbuse => "Bloquear es solo después de un abuso: cobijo close N --reason abuse --block", "Blocking is only after abuse: cobijo close N --reason abuse --block";
    Closed => "Cerrada. Aquí no queda nada de lo que se dijo.", "Closed. Nothing of what was said is kept here.";
    ClosedView => "[{}] Cerrada.", "[{}] Closed.";
    ClosedForNow => "Cerrar por ahora. Gracias por la confianza. Tú decides qué se queda: Guardar {} días / Borrar todo. La puerta queda abierta. (Se guarda si no haces nada. Para borrar: cobijo erase. Para volver a hablar: cobijo ask-desk)", "Close for now. Thank you for your trust. You decide what stays: Keep {} days / Erase everything. The door stays open. (It is kept if you do nothing. To erase: cobijo erase. To talk again: cobijo ask-desk)";
    DebriefOffer => "Eso pesa. Si te sirve, escribe una nota solo para ti, o compártela con una coordinadora (cobijo debrief), o toma una pausa (cobijo pause).", "That weighs. If it helps, write a note for yourself alone, or share it with a coordinator (cobijo debrief), or take a pause (cobijo pause).";
    DebriefAsk => "Escribe tu nota. Se queda en este dispositivo, o la lee solo la coordinadora que dijiste. Para terminar: una línea con un solo punto.", "Write your note. It stays on this device, or only the coordinator whom you named reads it. To end: a line with only a full stop.";
    DebriefKept => "Guardada en este dispositivo; nadie más la tiene. (cobijo words)", "Kept on this device; nobody else has it. (cobijo words)";
    DebriefShared => "Compartida. Solo esa coordinadora puede leerla.", "Shared. Only that coordinator can read it.";
    CheckOutAsk => "Terminaste tu turno. ¿Te quedas con algo difícil? Hablarlo / Mañana / No\n", "Your shift is over. Are you carrying something hard? Talk about it / Tomorrow / No\n";
    CheckOutHint => "¿Te quedas con algo difícil? Hablarlo / Mañana / No (cobijo check-out)", "Are you carrying something hard? Talk about it / Tomorrow / No (cobijo check-out)";
    CheckOutWhich => "Escribe hablarlo, mañana o no.", "Type talk, tomorrow or no.";
    CheckOutTalk => "Se avisó a la coordinación, y a nadie más.", "The coordinators were told, and nobody else.";
    CheckOutTomorrow => "Está bien. Se te pregunta cuando empiece tu próximo turno.", "That's fine. You are asked when your next shift begins.";
    CheckOutNo => "Está bien. Gracias por acompañar.", "That's fine. Thank you for accompanying.";
    Pausing => "Estás en pausa: no se te ofrece a nadie durante un cuarto de hora.", "You are pausing: you are offered nobody for a quarter of an hour.";
    PauseOver => "Terminó tu pausa.", "Your pause is over.";

    // Progress.
    Deriving => "Abriendo el perfil…", "Opening the profile…";
    Connecting => "Conectando…", "Connecting…";
    Connected => "Hay conexión.", "Connected.";
    Reconnecting => "{} Se intenta de nuevo.", "{} It is tried again.";

    // Passphrases.
    PassphraseAsk => "Contraseña del perfil: ", "Passphrase of the profile: ";
    PassphraseWhy => "Elige una contraseña, de al menos seis palabras al azar. Cierra lo que este programa guarda en este dispositivo. Nadie puede recuperarla por ti.", "Choose a passphrase, of at least six random words. It locks what this program keeps on this device. Nobody can recover it for you.";
    PassphraseNew => "Contraseña nueva para este perfil: ", "New passphrase for this profile: ";
    PassphraseAgain => "Otra vez: ", "Once more: ";

    // What went wrong, and what to do.
    BadUse => "No entiendo lo que se escribió. Mira qué se puede: cobijo --help", "What was typed isn't understood. See what can be: cobijo --help";
    BadLink => "Ese enlace no está completo o no es de una mesa. Cópialo otra vez, entero.", "That link is not complete, or not a desk's. Copy it again, whole.";
    BadInvite => "Esa invitación no está completa. Cópiala otra vez, entera.", "That invitation is not complete. Copy it again, whole.";
    BadRelay => "Esa no es la dirección de un servidor. Tiene esta forma: https://ejemplo.org", "That is not a relay's address. It looks like this: https://example.org";
    BadProxy => "Ese proxy no se entiende. Tiene esta forma: socks5h://127.0.0.1:9050", "That proxy isn't understood. It looks like this: socks5h://127.0.0.1:9050";
    BadWeek => "La semana se escribe así, sin horas que se encimen: --week \"lun-vie 9:00-22:00, sáb 10:00-14:00\"", "The week is written like this, without hours that overlap: --week \"mon-fri 9:00-22:00, sat 10:00-14:00\"";
    BadZone => "Esa zona horaria no se conoce aquí. Se escribe así: --zone America/Mexico_City", "That time zone is not known here. It is written like this: --zone America/Mexico_City";
    NoZone => "Falta la zona horaria de esas horas: --zone America/Mexico_City", "The time zone of these hours is missing: --zone America/Mexico_City";
    BadWait => "La espera se escribe así: --wait 10-20", "The wait is written like this: --wait 10-20";
    BadRoot => "Ese archivo no tiene la llave raíz. Usa el que guardaste con: cobijo desk export-root", "That file does not hold the root key. Use what you kept with: cobijo desk export-root";
    TrustUnreadable => "El archivo de --trust no se puede leer. Revisa su nombre y sus permisos.", "The file of --trust can't be read. Check its name and its permissions.";
    TrustEmpty => "El archivo de --trust no tiene ningún certificado PEM. Pide otro a quien administra el servidor.", "The file of --trust holds no PEM certificate. Ask the relay's operator for another one.";
    FileUnreadable => "Ese archivo no se puede leer. Revisa su nombre y sus permisos.", "That file can't be read. Check its name and its permissions.";
    FileEmpty => "Ese archivo está vacío.", "That file is empty.";
    FileTooLarge => "Ese archivo pasa de 16 MB y no se puede enviar. Haz una captura o recorta lo importante, o envía solo la huella: cobijo fingerprint", "That file is above 16 MB and can't be sent. Take a screenshot or cut out what matters, or send only its fingerprint: cobijo fingerprint";
    FileUnclean => "No se le puede quitar lo que dice de ti (lugar, hora, aparato), así que no se muestra. Se muestran fotos JPEG, PNG o WebP sin animación. Puedes guardar copia cifrada (cobijo keep), o solo la huella (cobijo fingerprint).", "What it says about you (place, time, device) can't be removed, so it is not shown. Photos can be shown: JPEG, PNG or WebP without animation. You can keep an encrypted copy (cobijo keep), or only its fingerprint (cobijo fingerprint).";
    FileExists => "Ya hay un archivo ahí, y no se tocó. Elige otro nombre.", "There is a file there already, and it was left as it is. Choose another name.";
    FileUnwritable => "No se pudo escribir ahí. Revisa la carpeta, sus permisos y el espacio en el disco.", "It could not be written there. Check the folder, its permissions and the space on the disk.";
    FileLost => "Lo que se guardó de ese archivo se perdió o está dañado en este dispositivo.", "What was kept of that file is lost or damaged on this device.";
    NotACopy => "Solo se exporta lo que se guardó como copia cifrada (cobijo keep); lo que se muestra, no.", "Only what was kept as an encrypted copy (cobijo keep) is exported; what is shown is not.";
    BadSpan => "Se muestra de 1 segundo a 72 horas, así: --for 24h, --for 30m", "It is shown for 1 second to 72 hours, like this: --for 24h, --for 30m";
    BadLabel => "Ese nombre es demasiado largo: hasta 200 letras.", "That name is too long: up to 200 letters.";
    NoText => "No hay nada que enviar: no escribiste nada.", "There is nothing to send: nothing was typed.";
    SecretTyped => "Lo que se escribe en la orden queda en el historial de esta terminal y otros programas pueden verlo; no se envió. Escribe la orden sola: el texto se pregunta después.", "What is typed in a command stays in this terminal's history, and other programs can see it; it was not sent. Type the command alone: the text is asked for afterwards.";
    PassphraseUnreadable => "El archivo de la contraseña no se puede leer. Revisa su nombre y sus permisos.", "The passphrase file can't be read. Check its name and its permissions.";
    PassphraseNoTerminal => "No se puede preguntar la contraseña aquí. Usa --passphrase-file.", "The passphrase can't be asked for here. Use --passphrase-file.";
    PassphraseEmpty => "La contraseña está vacía. Elige al menos seis palabras al azar.", "The passphrase is empty. Choose at least six random words.";
    PassphraseDiffers => "No escribiste dos veces la misma contraseña. Inténtalo otra vez.", "You did not type the same passphrase twice. Try again.";
    WrongPassphrase => "Esa no es la contraseña de este perfil. No se perdió nada; inténtalo otra vez.", "That is not the passphrase of this profile. Nothing is lost; try again.";
    ProfileDamaged => "El archivo del perfil está dañado y no se tocó. Recupera una copia, o empieza otro perfil con --profile.", "The profile's file is damaged, and was left as it is. Restore a copy, or begin another profile with --profile.";
    ProfileNewer => "Una versión más nueva de este programa guardó el perfil. Instálala.", "A newer version of this program saved the profile. Install it.";
    ProfileTooLarge => "El perfil creció demasiado: no se pudo guardar.", "The profile has grown too large: it could not be saved.";
    ProfileTaken => "Otra ventana ya usa este perfil. Ciérrala, o usa otro con --profile.", "Another window uses this profile already. Close it, or use another one with --profile.";
    ProfileNotPermitted => "No hay permiso para leer o escribir la carpeta del perfil. Revísala, o elige otra con --profile.", "The profile's folder may not be read or written. Check it, or choose another one with --profile.";
    ProfileIo => "La carpeta del perfil no se puede usar. Revísala, o elige otra con --profile.", "The profile's folder can't be used. Check it, or choose another one with --profile.";
    FullDisk => "El disco está lleno. Libera espacio e inténtalo otra vez; lo guardado antes sigue ahí.", "The disk is full. Make room and try again; what was saved before is still there.";
    NoHome => "No se sabe dónde guardar el perfil. Elige una carpeta con --profile ./carpeta", "It is not known where to keep the profile. Choose a folder with --profile ./folder";
    NoRandom => "El sistema no da números al azar, y sin ellos no hay cifrado. Reinicia la máquina.", "The system gives no random numbers, and without them there is no encryption. Restart the machine.";
    RootKeyHere => "La llave raíz está en este perfil y se perdería. Guárdala antes con: cobijo desk export-root, y olvídala aquí con: cobijo desk drop-root", "The root key is in this profile and would be lost. Keep it elsewhere first: cobijo desk export-root, and forget it here: cobijo desk drop-root";
    LastCoordinator => "Nadie más coordina esta mesa, y sin coordinación nadie puede entrar ni salir. Deja entrar antes a alguien con: cobijo desk admit --role coordinator", "Nobody else coordinates this desk, and without a coordinator nobody can be let in or out. Let somebody in first with: cobijo desk admit --role coordinator";
    InUse => "Este perfil ya es de una conversación o de una mesa. Usa otro con --profile.", "This profile belongs to a conversation or a desk already. Use another one with --profile.";
    NewProfile => "Este perfil está vacío. Empieza con: cobijo write, cobijo return o cobijo desk join", "This profile is empty. Begin with: cobijo write, cobijo return, or cobijo desk join";
    RelayBusy => "El servidor no acepta más conexiones ahora. Inténtalo en unos minutos.", "The relay takes no more connections now. Try again in a few minutes.";
    CertificateExpired => "El certificado del servidor venció, o el reloj de este dispositivo está mal. Revisa la hora, o avisa a quien administra el servidor.", "The relay's certificate has expired, or this device's clock is wrong. Check the time, or tell the relay's operator.";
    CertificateName => "El certificado es de otro servidor. Revisa el enlace; si es correcto, alguien puede estar en medio: no sigas.", "The certificate is another server's. Check the link; if it is right, someone may be in between: don't go on.";
    CertificateUntrusted => "Nadie de confianza responde por el certificado del servidor. Si es propio, pide su archivo y usa --trust; si no, alguien puede estar en medio: no sigas.", "Nobody who is trusted vouches for the relay's certificate. If it is its own, ask for its file and use --trust; if not, someone may be in between: don't go on.";
    ConnectionLost => "Se fue la conexión. Tu texto sigue aquí y se envía al volver.", "Connection lost. Your text is still here and goes out when it is back.";
    NotRelay => "Lo que responde en esa dirección no es un servidor de Cobijo. Revisa el enlace.", "What answers at that address is no Cobijo relay. Check the link.";
    OtherVersion => "El servidor habla otra versión. Instala la versión más nueva de este programa.", "The relay speaks another version. Install the newest version of this program.";
    ProxyFailed => "El proxy no responde. Revisa que Tor esté abierto y la dirección en --proxy.", "The proxy does not answer. Check that Tor is running, and the address in --proxy.";
    RelayRefused => "El servidor no está abierto en esa dirección. Revisa el enlace, o inténtalo más tarde.", "The relay is not open at that address. Check the link, or try again later.";
    NoTls => "Con esa dirección no se puede hablar de forma segura. Revisa el enlace.", "That address can't be talked to securely. Check the link.";
    UnknownHost => "Ese servidor no se encuentra. Revisa el enlace y tu conexión.", "That relay can't be found. Check the link and your connection.";
    RelayUnreachable => "El servidor no responde. Revisa tu conexión, o inténtalo más tarde.", "The relay does not answer. Check your connection, or try again later.";
    TimedOut => "Todavía no hay respuesta. Lo que escribiste está guardado y se envía la próxima vez; también puedes esperar más con --timeout.", "There is no answer yet. What you wrote is kept and goes out the next time; you can also wait longer with --timeout.";
    NoDesk => "En ese servidor no hay una mesa con ese enlace, o todavía no abre. Revisa el enlace, o inténtalo más tarde.", "There is no desk with that link at that relay, or it has not opened yet. Check the link, or try again later.";
    BadCard => "La tarjeta de la mesa no es de confianza. No se envió nada. Pide el enlace otra vez a alguien de confianza.", "The desk's card can't be trusted. Nothing was sent. Ask someone you trust for the link again.";
    MailboxFull => "El buzón de la mesa está lleno. Tu texto sigue aquí; se intenta de nuevo con: cobijo wait", "The desk's mailbox is full. Your text is still here; it is tried again with: cobijo wait";
    JoinExpired => "La invitación venció. Pide otra.", "The invitation has expired. Ask for another one.";
    JoinUsed => "Alguien usó antes esta invitación. Avisa a quien te invitó, y pide otra.", "Somebody has used this invitation before. Tell whoever invited you, and ask for another one.";
    JoinNoWelcome => "No se pudo entrar al grupo de la mesa. Pide otra invitación, para otro perfil.", "The desk's group could not be joined. Ask for another invitation, for another profile.";
    WordsDiffer => "Las palabras no son las mismas: alguien más usó la invitación. No se dejó entrar a nadie; haz otra.", "The words are not the same: someone else used the invitation. Nobody was let in; make another one.";
    AtCapacity => "Tienes las conversaciones que dijiste que tomas. Lo puede atender una colega; para tomar a alguien más, termina una o sal de ella: cobijo leave N", "You have as many conversations as you said you take. A colleague can answer; to take somebody else, end one or leave it: cobijo leave N";
    BadCapacity => "Son de 1 a 5 conversaciones, y se dice al empezar el turno: cobijo shift --capacity 3", "Say from 1 to 5 conversations, as your shift begins: cobijo shift --capacity 3";
    BadTime => "La hora se escribe así: 20:00, o así: 2026-11-26 16:00. Tiene que ser una que todavía no llega.", "Times are written like this: 20:00, or like this: 2026-11-26 16:00. It has to be one that is still to come.";
    BadAlias => "Ese alias no se puede mostrar. Usa entre 1 y 64 letras, sin signos de control.", "That alias can't be shown. Use 1 to 64 letters, without control characters.";
    AliasTaken => "En la mesa ya hay alguien con ese nombre. Haz otra invitación, y que elija otro nombre.", "Somebody in the desk has that name already. Make another invitation, and let them choose another name.";
    CardTooLarge => "El texto de la mesa es demasiado largo. Acórtalo.", "The desk's text is too long. Shorten it.";
    ColleagueUnavailable => "A esa colega todavía no se le puede proponer: tiene que conectarse antes.", "That colleague can't be proposed yet: she has to connect first.";
    InRoomAlready => "Esa colega ya está en la conversación.", "That colleague is in the conversation already.";
    NamingBuddy => "Antes se nombra a quien aprende a tu lado. Inténtalo otra vez en un momento.", "Whoever learns beside you is named first. Try again in a moment.";
    NewerSummary => "Alguien cambió el resumen mientras tanto. Léelo otra vez y escribe sobre ese: cobijo summary", "Somebody has changed the summary meanwhile. Read it again, and write on from there: cobijo summary";
    NoSummary => "No hay resumen, o quedaría vacío. Solo la persona puede borrarlo: cobijo summary --erase", "There is no summary, or it would be empty. Only the person can erase it: cobijo summary --erase";
    NotFitting => "A esa colega no se le puede proponer para eso. Mira su papel con: cobijo desk show. Quien aprende lee solo desde ahora.", "That colleague can't be proposed for that. See her role with: cobijo desk show. Whoever learns reads from now on only.";
    SummaryTooLong => "El resumen es demasiado largo. Deja solo lo que haría falta repetir.", "The summary is too long. Leave only what would have to be told again.";
    NoInvite => "No hay ninguna invitación abierta con ese número. Haz una con: cobijo desk invite", "There is no open invitation with that number. Make one: cobijo desk invite";
    NobodyYet => "Nadie ha usado la invitación todavía.", "Nobody has used the invitation yet.";
    NotCoordinator => "Solo puede hacerlo una coordinadora que tenga la llave de la mesa.", "Only a coordinator who holds the desk key can do this.";
    NotMember => "Este perfil no es parte de una mesa. Se entra con una invitación, en un perfil nuevo: cobijo desk join", "This profile is not part of a desk. Join one by invitation, in a new profile: cobijo desk join";
    NotOnShift => "Empieza tu turno antes: cobijo shift", "Begin your shift first: cobijo shift";
    NotNow => "Eso no se puede hacer en este momento. Mira dónde estás: cobijo list", "That can't be done at this moment. See where you are: cobijo list";
    RootElsewhere => "La llave raíz no está en este perfil. Tráela con: cobijo desk import-root ARCHIVO", "The root key is not in this profile. Bring it with: cobijo desk import-root FILE";
    Stopped => "En esa conversación ya no se puede escribir.", "That conversation can't be written in any more.";
    TooMany => "No caben más. Quita antes a alguien.", "There is no room for more. Remove somebody first.";
    TooLong => "Ese texto es demasiado largo para un mensaje. Envíalo en partes.", "That text is too long for one message. Send it in parts.";
    Unknown => "No existe. Mira los números con: cobijo list, o cobijo queue", "There is no such thing. See the numbers with: cobijo list, or cobijo queue";
    UnknownAlias => "No hay nadie aquí con ese alias. Mira quién está: cobijo who, o cobijo desk show", "There is nobody here with that alias. See who is here: cobijo who, or cobijo desk show";
    WhichOne => "Hay más de una. Di cuál; se ven con: cobijo list", "There are several. Say which; see them with: cobijo list";
    WhichAlias => "Hay más de una propuesta. Di el alias.", "There is more than one proposal. Say the alias.";
    NoProposal => "No hay ninguna propuesta que responder.", "There is no proposal to answer.";
    WrongRoot => "Esa no es la llave raíz de esta mesa.", "That is not this desk's root key.";
    Changed => "Alguien lo cambió mientras escribías. Mira cómo está ahora (cobijo desk board) y escríbelo otra vez.", "Somebody changed it while you wrote. See what it says now (cobijo desk board) and write again.";
    Yourself => "No puedes hacer eso contigo.", "That can't be done to oneself.";
    NotHere => "Eso no se puede escribir dentro de esta vista. Sal antes con: exit", "That can't be typed inside this view. Leave it first: exit";
    Broken => "El programa falló; no es por ti. Lo que estaba guardado sigue ahí: ábrelo otra vez.", "The program failed; it is not because of you. What was saved is still there: open it again.";
    Unexpected => "No se pudo hacer. Inténtalo otra vez.", "It could not be done. Try again.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_there_in_both_languages_and_takes_the_same_values() {
        for key in Key::ALL {
            let [es, en] = [Language::Es, Language::En].map(|language| key.text(language));
            assert!(!es.trim().is_empty() && !en.trim().is_empty(), "{key:?}");
            assert_eq!(
                es.matches("{}").count(),
                en.matches("{}").count(),
                "{key:?}"
            );
        }
    }

    #[test]
    fn values_are_filled_in_in_order() {
        assert_eq!(fill("{} y {}.", &["a", "{}"]), "a y {}.");
        assert_eq!(fill("{}", &[]), "");
    }

    #[test]
    fn the_first_variable_that_says_anything_decides_the_language() {
        let of = |values: [&str; 3]| Language::of_environment(values.map(str::to_owned));
        assert_eq!(of(["", "", "es_MX.UTF-8"]), Language::Es);
        assert_eq!(of(["C", "", "es_MX.UTF-8"]), Language::En);
        assert_eq!(of(["", "", ""]), Language::En);
    }

    #[test]
    fn nobody_is_called_a_victim() {
        for key in Key::ALL {
            for language in [Language::Es, Language::En] {
                let text = key.text(language).to_lowercase();
                assert!(
                    !text.contains("víctima") && !text.contains("victim"),
                    "{key:?}"
                );
            }
        }
    }
}
