using System.Collections.Immutable;

namespace MLTransfer.Torch.Tokenization.Decoders;

/// <summary>Decoders one after the other.</summary>
internal sealed class DecoderSequence(ImmutableArray<IDecoder> stages) : IDecoder
{
    /// <summary>The decoders, the first one first.</summary>
    public ImmutableArray<IDecoder> Stages => stages;

    public bool Fuses => stages.Any(stage => stage.Fuses);

    public DecoderRun Start(DecodingMode mode)
    {
        var runs = new DecoderRun[stages.Length];
        for (int i = 0; i < runs.Length; i++)
        {
            runs[i] = stages[i].Start(mode);
            mode = mode with { IsFused = mode.IsFused || stages[i].Fuses };
        }

        return new Run(runs);
    }

    private sealed class Run(DecoderRun[] stages) : DecoderRun
    {
        public override void Push(string text, List<string> output) => Through([text], 0, output);

        public override void Flush(List<string> output)
        {
            for (int i = 0; i < stages.Length; i++)
            {
                var rest = new List<string>();
                stages[i].Flush(rest);
                Through(rest, i + 1, output);
            }
        }

        private void Through(List<string> texts, int first, List<string> output)
        {
            for (int i = first; i < stages.Length && texts.Count > 0; i++)
            {
                var next = new List<string>();
                foreach (string text in texts)
                    stages[i].Push(text, next);
                texts = next;
            }

            output.AddRange(texts);
        }
    }
}
