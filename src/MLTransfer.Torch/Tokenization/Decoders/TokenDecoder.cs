using System.Text;

namespace MLTransfer.Torch.Tokenization.Decoders;

/// <summary>A decoder that changes each token by itself, knowing only whether it is the first; a token in pieces is waited for.</summary>
/// <param name="decode">Makes the text of a token; null: the token is gone.</param>
internal sealed class TokenDecoder(Func<string, bool, string?> decode) : IDecoder
{
    public DecoderRun Start(DecodingMode mode) => mode.IsFused ? new WholeRun(decode) : new TokenRun(decode);

    private sealed class TokenRun(Func<string, bool, string?> decode) : DecoderRun
    {
        private bool _isFirst = true;

        public override void Push(string text, List<string> output)
        {
            if (decode(text, _isFirst) is string decoded)
                output.Add(decoded);
            _isFirst = false;
        }

        public override void Flush(List<string> output) => _isFirst = true;
    }

    private sealed class WholeRun(Func<string, bool, string?> decode) : DecoderRun
    {
        private readonly StringBuilder _token = new();

        public override void Push(string text, List<string> output) => _token.Append(text);

        public override void Flush(List<string> output)
        {
            if (decode(_token.ToString(), true) is string decoded)
                output.Add(decoded);
            _token.Clear();
        }
    }
}
