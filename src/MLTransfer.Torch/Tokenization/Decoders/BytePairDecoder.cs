namespace MLTransfer.Torch.Tokenization.Decoders;

/// <summary>Writes a space for what ends a word, and nothing for it in the last token.</summary>
internal sealed class BytePairDecoder(string suffix) : IDecoder
{
    public DecoderRun Start(DecodingMode mode) =>
        mode.IsFused ? new TokenDecoder((token, _) => Replace(token, "")).Start(mode) : new Run(this);

    private string Replace(string token, string replacement) =>
        suffix.Length == 0 ? token : token.Replace(suffix, replacement, StringComparison.Ordinal);

    /// <summary>A token goes out up to the end of its first word; the rest when it is known whether a token follows.</summary>
    private sealed class Run(BytePairDecoder decoder) : DecoderRun
    {
        private string _held = "";

        public override void Push(string text, List<string> output)
        {
            if (_held.Length > 0)
                output.Add(decoder.Replace(_held, " "));
            int end = decoder.Suffix.Length == 0 ? -1 : text.IndexOf(decoder.Suffix, StringComparison.Ordinal);
            _held = end < 0 ? "" : text[end..];
            output.Add(end < 0 ? text : text[..end]);
        }

        public override void Flush(List<string> output)
        {
            if (_held.Length > 0)
                output.Add(decoder.Replace(_held, ""));
            _held = "";
        }
    }

    private string Suffix => suffix;
}
