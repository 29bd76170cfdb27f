namespace MLTransfer.Torch.Tokenization.Decoders;

/// <summary>The edits that transformers makes to decoded text where <c>clean_up_tokenization_spaces</c> is true.</summary>
internal sealed class CleanupDecoder : IDecoder
{
    public bool Fuses => true;

    public DecoderRun Start(DecodingMode mode) =>
        mode.IsStreamed ? new Run()
            : new TokenDecoder((text, _) => EnglishCleanup.OfText(text)).Start(new DecodingMode(IsFused: true, IsStreamed: false));

    private sealed class Run : DecoderRun
    {
        private string _held = "";

        public override void Push(string text, List<string> output)
        {
            string all = _held + text;
            int open = EnglishCleanup.OpenEnd(all);
            _held = all[^open..];
            output.Add(EnglishCleanup.OfText(all[..^open]));
        }

        public override void Flush(List<string> output)
        {
            output.Add(EnglishCleanup.OfText(_held));
            _held = "";
        }
    }
}
