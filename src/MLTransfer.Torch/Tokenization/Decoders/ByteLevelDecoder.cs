using System.Text;

namespace MLTransfer.Torch.Tokenization.Decoders;

/// <summary>Reads the bytes that tokens stand for by <see cref="ByteLevelAlphabet"/>; what is no UTF-8 becomes U+FFFD.</summary>
internal sealed class ByteLevelDecoder : IDecoder
{
    public bool Fuses => true;

    public DecoderRun Start(DecodingMode mode) => mode.IsFused
        ? new TokenDecoder((token, _) => Encoding.UTF8.GetString(ByteLevelAlphabet.BytesOf(token))).Start(mode)
        : new Run();

    private sealed class Run : DecoderRun
    {
        private readonly ByteStream _bytes = new();

        public override void Push(string text, List<string> output) => output.Add(_bytes.Append(ByteLevelAlphabet.BytesOf(text)));

        public override void Flush(List<string> output) => output.Add(_bytes.Flush());
    }
}
