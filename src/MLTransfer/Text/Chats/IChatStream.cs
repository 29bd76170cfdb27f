namespace MLTransfer.Text.Chats;

/// <summary>A transformer whose model writes the assistant's words in chats.</summary>
internal interface IChatStream
{
    /// <summary>What the assistant says next.</summary>
    /// <param name="chat">JSON, as <see cref="ChatMessages.Read"/> takes it.</param>
    /// <param name="cancellationToken">Stops generation.</param>
    /// <exception cref="InvalidDataException">The chat is malformed, or its template refuses it or fails with it.</exception>
    string Answer(string chat, CancellationToken cancellationToken);

    /// <summary>The same piece by piece.</summary>
    /// <exception cref="InvalidOperationException">The options ask for beams or several sequences.</exception>
    /// <inheritdoc cref="Answer" path="/exception"/>
    IAsyncEnumerable<string> StreamAsync(string chat, CancellationToken cancellationToken);
}
