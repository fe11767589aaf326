"""The words by which texts that instruct an agent are known, each as a letter for its kind.

The rules in `agentctx.suspicion.rules` are written over these letters, so that one rule holds for
every language that the words are given in. Words are compared folded (`folding.folded`); those
of languages without spaces are looked for inside of runs.
"""

from collections.abc import Mapping
from functools import cache

from agentctx.suspicion.folding import folded

# letter: words of English; German; French; Spanish, Portuguese, Italian; Russian.
_WORDS: Mapping[str, str] = {
    # to leave a rule aside
    "i": "ignore ignores ignoring disregard disregarding forget override overrule bypass neglect "
    "ignoriere ignorieren ignoriert vergiss vergesst vergessen missachte missachten übergehe "
    "ignorez ignorer oublie oubliez oublier ignora ignorar ignoren ignorad olvida olvide olvidar "
    "ignori dimentica dimenticare desconsidere desconsiderar esqueça esquece "
    "игнорируй игнорируйте игнорировать забудь забудьте проигнорируй",
    # earlier
    "p": "previous previously prior above earlier preceding former foregoing original initial "
    "past existing before vorherigen vorherige bisherigen bisherige obigen früheren vorigen "
    "précédentes précédents précédente antérieures anteriores anterior previas previos precedenti "
    "precedente предыдущие предыдущих прошлые прежние ранее",
    # all
    "q": "all any every everything anything each alle alles sämtliche toutes tous tout todas "
    "todos todo tutte tutti все всё всех",
    # what an agent goes by
    "n": "instructions instruction prompt prompts rules rule guidelines guideline directions "
    "directives directive orders constraints restrictions policy policies guardrails "
    "anweisungen anweisung regeln befehle vorgaben instruktionen consignes consigne règles "
    "directives instrucciones instrucción reglas indicaciones instruções regras istruzioni regole "
    "инструкции инструкций инструкция указания правила команды",
    # parts that have a say
    "s": "system admin administrator developer root superuser",
    # the agent
    "r": "assistant assistants ai ais agent agents chatbot chatbots llm llms bot gpt chatgpt "
    "claude gemini copilot ki assistent asistente assistente ia ассистент ии",
    "y": "you your you're youre u du dein deine deinen ihr ihre vous votre vos tu tus tes te sus "
    "suas ты вы твои ваши",
    "b": "are re're bist sind êtes es eres sei",
    "w": "now henceforth jetzt ab maintenant désormais ahora agora ora теперь",
    "m": "must should shall ought muss musst müssen sollst doit devez debes debe deve должен",
    # to be another
    "z": "unrestricted unfiltered jailbroken jailbreak dan limits restrictions restriction mode "
    "evil obey obeys comply gehorche obéis obedece obbedisci подчиняйся",
    "j": "pretend act roleplay behave become simulate",
    "N": "new neue nouvelles nouvelle nuevas nueva nuove новые новая",
    "k": "task tasks job goal mission objective role aufgabe tâche tarea compito задача",
    # to work a tool
    "v": "call invoke run execute use trigger launch rufe führe verwende appelle appelez utilise "
    "llama usa ejecuta chiama esegui вызови выполни запусти",
    "t": "tool tools function functions plugin werkzeug outil herramienta strumento инструмент",
    # to hand on
    "x": "send sends email e-mail mail forward post upload transmit exfiltrate leak submit deliver "
    "copy append sende senden schicke schick schicken envoie envoyez envoyer envía envia envíe "
    "enviar invia inviare manda отправь отправьте пришли перешли",
    "X": "reveal share print repeat disclose expose answer verrate nenne révèle "
    "révélez divulgue revela revele revelar rivela раскрой покажи",
    # what is worth taking
    "S": "password passwords passwort passwörter credentials credential secret secrets key keys "
    "token tokens contraseña contraseñas senha senhas passwords пароль пароли",
    "c": "conversation history memory memories transcript transcripts context gespräch verlauf "
    "conversación память историю",
    "d": "notes note messages message report reports files file calendar contacts mails emails "
    "readings document documents contents inbox details data contract notizen dateien notas note "
    "записи файлы",
    "D": "delete erase wipe remove purge destroy lösche supprime borra cancella apaga удали сотри",
    # to say
    "g": "not never don't dont no nicht nie kein ne pas nunca jamás non não не никогда",
    "O": "nothing nichts rien nada niente ничего",
    "l": "tell telling mention mentioning inform notify alert warn reveal disclose say let sag "
    "sage sagen erwähne erzähle dis dites mentionne digas diga digas dire menciones dire diga "
    "говори сообщай",
    "h": "user users user's human owner owner's operator nutzer nutzers benutzer anwender "
    "utilisateur utilisateurs usuario usuarios usuário utente пользователь пользователю "
    "пользователя",
    "G": "agreed agrees approved approves confirmed confirms wants authorised authorized cleared "
    "consented allowed trusts permitted",
    # to be spoken to
    "A": "attention dear hey hello hi note notice message if achtung",
    "R": "read reads reading see sees processing parsing summarizing summarising",
    "e": "decode decodes decrypt deobfuscate base64 rot13 dekodiere décode décodez decodifica "
    "декодируй",
    "f": "follow execute obey befolge suis sigue segui следуй",
}
# Chinese, Japanese, Korean.
_RUNS: Mapping[str, str] = {
    "i": "忽略 无视 無視 忘记 忘記 忘れ 무시",
    "p": "之前 以前 先前 前面 以上 これまで 上記 이전",
    "q": "所有 全部 一切 すべて 全て 모든",
    "n": "指令 指示 提示词 提示 规则 規則 ルール 命令 지시",
    "r": "助手 人工智能 アシスタント 어시스턴트",
    "x": "发送 發送 发给 送信 보내",
    "S": "密码 密碼 密钥 パスワード 비밀번호",
    "c": "记忆 記憶 对话 会話",
    "d": "笔记 筆記 文件 メモ",
    "D": "删除 刪除 削除 삭제",
    "h": "用户 用戶 ユーザー 사용자",
    "g": "不要 别 勿 ないで",
    "l": "告诉 告訴 伝え 教え",
    "y": "你",
    "w": "现在 現在",
    "v": "调用 呼び出",
    "t": "工具 ツール",
}


@cache
def words() -> Mapping[str, str]:
    """The letter of each word, folded; the first kind that lists it has it."""
    return _folded(_WORDS)


@cache
def runs() -> Mapping[str, str]:
    """The letter of each word that is written without spaces around it."""
    return _folded(_RUNS)


def _folded(table: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for letter, listed in table.items():
        for word in listed.split():
            found.setdefault(folded(word), letter)
    return found
