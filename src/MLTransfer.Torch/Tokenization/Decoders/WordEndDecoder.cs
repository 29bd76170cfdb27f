namespace MLTransfer.Torch.Tokenization.Decoders;

/// <summary>What transformers does to text that CLIP's tokenizer decoded: a space for what ends a word, and none at the ends.</summary>
internal sealed class WordEndDecoder(string suffix) : IDecoder
{
    public bool Fuses => true;

    public DecoderRun Start(DecodingMode mode) => new Run(suffix);

    private sealed class Run(string suffix) : DecoderRun
    {
        private string _held = "";
        private bool _hasText;

        public override void Push(string text, List<string> output)
        {
            string all = (_held + text).Replace(suffix, " ", StringComparison.Ordinal);
            if (!_hasText)
                all = all.TrimStart();

            // Spaces at the end go if nothing follows; a part of the suffix may become one.
            int part = Math.Min(suffix.Length - 1, all.Length);
            while (part > 0 && !all.EndsWith(suffix[..part], StringComparison.Ordinal))
                part--;
            string done = all[..^part].TrimEnd();
            _held = all[done.Length..];
            _hasText |= done.Length > 0;
            output.Add(done);
        }

        public override void Flush(List<string> output)
        {
            output.Add(_held.TrimEnd());
            (_held, _hasText) = ("", false);
        }
    }
}
