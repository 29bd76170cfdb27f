using MLTransfer.Torch.Chats;
using MLTransfer.Torch.ChatTemplates;

namespace MLTransfer.Text.Chats;

/// <summary>Chats as tokens of a model. Thread-safe.</summary>
internal sealed class ChatReader
{
    private readonly ChatFormat _format;
    private readonly ChatForm _form;
    private readonly bool _takesParts;
    private readonly Lazy<CallMarkers?> _callMarkers;

    public ChatReader(ChatFormat format, ChatForm form)
    {
        (_format, _form) = (format, form);
        _takesParts = format.TakesParts(form.Template);
        EndOfTurn = format.FindEndOfTurn(form.Template, form.GivenVariables);
        _callMarkers = new(() => format.FindCallMarkers(form.Template, form.GivenVariables));
    }

    /// <summary>What the template writes around calls of functions; null where it writes none.</summary>
    public CallMarkers? CallMarkers => _callMarkers.Value;

    /// <summary>What the template writes behind an assistant's words.</summary>
    public EndOfTurn EndOfTurn { get; }

    /// <summary>The tokens that the model goes on from.</summary>
    /// <exception cref="InvalidDataException">The chat is malformed, or its template refuses it or fails with it.</exception>
    public int[] Prompt(string chat)
    {
        var messages = ChatMessages.Read(chat, _takesParts);
        var continues = _form.ContinueFinalMessage ?? messages.LastRole == ChatMessages.Assistant;
        return Rendered(() => _format.Encode(
            Input(messages) with { ContinueFinalMessage = continues, AddGenerationPrompt = !continues && _form.AddGenerationPrompt },
            _form.Template));
    }

    /// <summary>The tokens of a whole chat, and which of them are the assistant's.</summary>
    /// <inheritdoc cref="Prompt" path="/exception"/>
    public EncodedChat Read(string chat)
    {
        var messages = ChatMessages.Read(chat, _takesParts);
        return Rendered(() => _format.EncodeWithTurns(Input(messages), _form.Template));
    }

    /// <summary>The tokens of a chat with what the assistant says next.</summary>
    /// <param name="chat">The chat.</param>
    /// <param name="answer">A text, or a JSON array of messages.</param>
    /// <inheritdoc cref="Prompt" path="/exception"/>
    public int[] Answered(string chat, string answer) =>
        Rendered(() => _format.Encode(Input(ChatMessages.Read(ChatMessages.WithAnswer(chat, answer), _takesParts)), _form.Template));

    private ChatInput Input(ChatMessages messages) => new()
    {
        Messages = messages.Messages, Tools = messages.Tools, Documents = messages.Documents, Variables = _form.GivenVariables,
    };

    private static T Rendered<T>(Func<T> render)
    {
        try
        {
            return render();
        }
        catch (ChatTemplateException exception)
        {
            throw new InvalidDataException(exception.Message, exception);
        }
    }
}
