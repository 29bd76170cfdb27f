using System.Diagnostics.CodeAnalysis;
using MLTransfer.Text.Chats;
using Microsoft.ML;

namespace MLTransfer;

/// <content>Chats without an IDataView.</content>
public sealed partial class GenerationCatalog
{
    private const string NoTextGenerator = "no text generator";

    /// <summary>What the assistant says next, or, where the last message is the assistant's, how it goes on.</summary>
    /// <remarks>The chat is rendered and the answer generated with the options that the model was made with, as in
    /// <c>Transform</c>.</remarks>
    /// <param name="model">A text generator, or a chain of transformers with one.</param>
    /// <param name="chat">The messages so far.</param>
    /// <param name="cancellationToken">Ends the work between two tokens.</param>
    /// <exception cref="ArgumentException">The model holds no text generator, or that has no chat template.</exception>
    /// <exception cref="InvalidDataException">The chat template refuses the chat or fails with it.</exception>
    [SuppressMessage("Performance", "CA1822", Justification = "Called as mlContext.Generation.GenerateChat, like the rest.")]
    public string GenerateChat(ITransformer model, IReadOnlyList<ChatTurn> chat, CancellationToken cancellationToken = default) =>
        TransformerChain.Find<IChatStream>(model, NoTextGenerator).Found.Answer(ChatMessages.ToJson(chat), cancellationToken);

    /// <summary>Gives piece by piece what <see cref="GenerateChat"/> gives.</summary>
    /// <remarks>
    /// Of a chat as JSON <see cref="StreamAsync"/> does it, where the model's input is chats
    /// (<see cref="TextColumnsOptions.ChatColumnName"/>).
    /// </remarks>
    /// <param name="model">A text generator, or a chain of transformers with one.</param>
    /// <param name="chat">The messages so far.</param>
    /// <param name="cancellationToken">Ends the work between two tokens.</param>
    /// <returns>Pieces of text, none empty and none with half a character.</returns>
    /// <exception cref="InvalidOperationException">The model generates with beams, or several sequences of a prompt.</exception>
    /// <inheritdoc cref="GenerateChat" path="/exception"/>
    [SuppressMessage("Performance", "CA1822", Justification = "Called as mlContext.Generation.StreamChatAsync, like the rest.")]
    public IAsyncEnumerable<string> StreamChatAsync(
        ITransformer model, IReadOnlyList<ChatTurn> chat, CancellationToken cancellationToken = default) =>
        TransformerChain.Find<IChatStream>(model, NoTextGenerator).Found.StreamAsync(ChatMessages.ToJson(chat), cancellationToken);
}
