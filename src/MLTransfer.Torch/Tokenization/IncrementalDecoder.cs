namespace MLTransfer.Torch.Tokenization;

/// <summary>
/// Turns token ids into text one at a time, for streaming. What <see cref="Append"/> and the final <see cref="Flush"/> return,
/// joined, equals <see cref="TextTokenizer.Decode"/> of all the ids. A character is returned once it is whole. Not thread-safe.
/// </summary>
public abstract class IncrementalDecoder
{
    /// <summary>Takes the next id and returns the text that became complete with it, which may be empty.</summary>
    /// <param name="id">A token id.</param>
    /// <returns>The characters completed by this token.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The id is outside the vocabulary.</exception>
    public abstract string Append(int id);

    /// <summary>
    /// Ends the sequence: returns U+FFFD for a character that was left unfinished, else an empty string. The decoder can then
    /// take the next sequence.
    /// </summary>
    /// <returns>The rest of the text.</returns>
    public abstract string Flush();
}
