namespace MLTransfer.Torch.Tokenization.Decoders;

/// <summary>Makes one token of all.</summary>
internal sealed class FuseDecoder : IDecoder
{
    public bool Fuses => true;

    public DecoderRun Start(DecodingMode mode) => new Run();

    private sealed class Run : DecoderRun
    {
        public override void Push(string text, List<string> output) => output.Add(text);

        public override void Flush(List<string> output)
        {
        }
    }
}
