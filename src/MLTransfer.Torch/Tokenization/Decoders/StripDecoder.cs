using System.Text;

namespace MLTransfer.Torch.Tokenization.Decoders;

/// <summary>Removes up to so many of one character at the beginning and the end of each token.</summary>
internal sealed class StripDecoder(Rune content, int start, int stop) : IDecoder
{
    private readonly string _content = content.ToString();

    public DecoderRun Start(DecodingMode mode) => mode.IsFused ? new Run(this) : new TokenDecoder((token, _) => Strip(token)).Start(mode);

    private string Strip(string token)
    {
        int first = 0;
        for (int i = 0; i < start && StartsAt(token, first); i++)
            first += _content.Length;
        int last = token.Length;
        for (int i = 0; i < stop && last - _content.Length >= first && StartsAt(token, last - _content.Length); i++)
            last -= _content.Length;
        return token[first..last];
    }

    private bool StartsAt(string token, int place) => token.AsSpan(place).StartsWith(_content, StringComparison.Ordinal);

    /// <summary>One token in pieces: its beginning is known at once, and what may be its end is held back.</summary>
    private sealed class Run(StripDecoder decoder) : DecoderRun
    {
        private string _held = "";
        private int _cut;
        private bool _isCut;

        public override void Push(string text, List<string> output)
        {
            string all = _held + text;
            int first = 0;
            while (!_isCut && first < all.Length)
            {
                if (_cut == decoder.StartCount || !decoder.StartsAt(all, first))
                {
                    _isCut = true;
                    break;
                }

                _cut++;
                first += decoder._content.Length;
            }

            int last = all.Length;
            for (int i = 0; i < decoder.StopCount && last - decoder._content.Length >= first
                && decoder.StartsAt(all, last - decoder._content.Length); i++)
            {
                last -= decoder._content.Length;
            }

            _held = all[last..];
            if (last > first)
                output.Add(all[first..last]);
        }

        public override void Flush(List<string> output) => (_held, _cut, _isCut) = ("", 0, false);
    }

    private int StartCount => start;

    private int StopCount => stop;
}
