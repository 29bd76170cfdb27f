using System.Text;

namespace MLTransfer.Torch.Tokenization.Decoders;

/// <summary>Bytes of UTF-8 that come in pieces; those of an unfinished character are kept.</summary>
internal sealed class ByteStream
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

    /// <summary>Takes bytes and returns the characters that they complete.</summary>
    public string Append(ReadOnlySpan<byte> bytes) => bytes.IsEmpty ? string.Empty : Convert(bytes, flush: false);

    /// <summary>Ends the text: returns U+FFFD for a character that was left unfinished.</summary>
    public string Flush() => Convert([], flush: true);

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
