using System.Text;

namespace MLTransfer.Torch.Tokenization;

/// <summary>Streams the bytes of byte-level tokens through a UTF-8 decoder, which keeps the bytes of an unfinished character.</summary>
internal sealed class ByteLevelIncrementalDecoder(ByteLevelBpeTokenizer tokenizer, bool skipSpecialTokens) : IncrementalDecoder
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

    public override string Append(int id)
    {
        ReadOnlySpan<byte> bytes = tokenizer.TokenBytes(id, skipSpecialTokens);
        return bytes.IsEmpty ? string.Empty : Convert(bytes, flush: false);
    }

    public override string Flush() => Convert([], flush: true);

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        int length = _decoder.GetCharCount(bytes, flush);
        if (length == 0)
        {
            // The decoder has still to take the bytes in (or to forget that it was flushed).
            _decoder.GetChars(bytes, [], flush);
            return string.Empty;
        }

        char[] characters = new char[length];
        int written = _decoder.GetChars(bytes, characters, flush);
        return new string(characters, 0, written);
    }
}
