using System.Text;

namespace MLTransfer.Torch.Tokenization.Decoders;

/// <summary>Writes spaces for the character that stood for them; of the first token they are dropped where one was put before it.</summary>
internal sealed class MetaspaceDecoder(Rune replacement, bool dropsFirst) : IDecoder
{
    private readonly string _replacement = replacement.ToString();

    public DecoderRun Start(DecodingMode mode) => new Run(this, mode.IsFused);

    private sealed class Run(MetaspaceDecoder decoder, bool isFused) : DecoderRun
    {
        private bool _isFirst = true;

        public override void Push(string text, List<string> output)
        {
            output.Add(text.Replace(decoder._replacement, _isFirst && decoder.DropsFirst ? "" : " ", StringComparison.Ordinal));
            _isFirst = isFused;
        }

        public override void Flush(List<string> output) => _isFirst = true;
    }

    private bool DropsFirst => dropsFirst;
}
