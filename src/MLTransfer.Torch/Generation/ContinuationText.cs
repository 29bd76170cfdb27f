using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Generation;

/// <summary>The text of one continuation, as its tokens come: whole characters, without special tokens, up to a stop string.</summary>
internal sealed class ContinuationText : ITokenMonitor
{
    private readonly int _vocabularySize;
    private readonly IncrementalDecoder _decoder;
    private readonly StopStringFilter _filter;
    private readonly Action<string> _write;

    /// <param name="tokenizer">Decodes tokens.</param>
    /// <param name="prompt">What is continued: some decoders write the beginning of a text in another way than what follows.</param>
    /// <param name="stopStrings">End the text.</param>
    /// <param name="write">Takes pieces of text, none empty, as soon as they are certain.</param>
    public ContinuationText(
        TextTokenizer tokenizer, ReadOnlySpan<int> prompt, IReadOnlyList<string> stopStrings, Action<string> write)
    {
        _vocabularySize = tokenizer.VocabularySize;
        _decoder = tokenizer.CreateIncrementalDecoder(skipSpecialTokens: true);
        foreach (int token in prompt)
            _decoder.Append(token);
        _filter = new StopStringFilter(stopStrings);
        _write = write;
    }

    public bool Append(int token)
    {
        // A model whose vocabulary was rounded up has ids that stand for no text.
        if (token < _vocabularySize)
            Write(_filter.Append(_decoder.Append(token)));
        return _filter.HasStopped;
    }

    /// <summary>Writes what was held back, as no token follows.</summary>
    public void Complete()
    {
        Write(_filter.Append(_decoder.Flush()));
        Write(_filter.Flush());
    }

    private void Write(string piece)
    {
        if (piece.Length > 0)
            _write(piece);
    }
}
