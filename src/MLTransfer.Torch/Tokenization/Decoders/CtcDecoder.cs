namespace MLTransfer.Torch.Tokenization.Decoders;

/// <summary>
/// Connectionist temporal classification: of equal tokens in a row one counts, the padding token is nothing, and one token stands for
/// the space between words.
/// </summary>
internal sealed class CtcDecoder(string paddingToken, string delimiter, bool cleansUp) : IDecoder
{
    public DecoderRun Start(DecodingMode mode) => mode.IsFused ? new TokenDecoder((token, _) => Decode(token)).Start(mode) : new Run(this);

    private string? Decode(string token)
    {
        string text = paddingToken.Length == 0 ? token : token.Replace(paddingToken, "", StringComparison.Ordinal);
        if (cleansUp)
        {
            text = EnglishCleanup.OfToken(text);
            if (delimiter.Length > 0)
                text = text.Replace(delimiter, " ", StringComparison.Ordinal);
        }

        return text.Length == 0 ? null : text;
    }

    private sealed class Run(CtcDecoder decoder) : DecoderRun
    {
        private string? _last;

        public override void Push(string text, List<string> output)
        {
            if (text != _last && decoder.Decode(text) is string decoded)
                output.Add(decoded);
            _last = text;
        }

        public override void Flush(List<string> output) => _last = null;
    }
}
