using MLTransfer.Torch.Networks.Transformers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Exports;

/// <summary>What the engine writes for prompts at each of whose tokens it is sure: the two best logits differ by more than 0.01.</summary>
/// <param name="Prompts">The prompts.</param>
internal sealed record GreedyModel(IReadOnlyList<GreedyModel.Prompt> Prompts)
{
    private const double Margin = 1e-2;

    /// <summary>A prompt, the tokens that follow, and the logits of the first of them.</summary>
    internal sealed record Prompt(int[] Ids, int[] Tokens, float[] Logits);

    /// <summary>Finds prompts of some lengths.</summary>
    public static GreedyModel Of(TransformerNetwork model, int count, params int[] lengths)
    {
        var random = new Random(5);
        return new([.. lengths.Select(length => Enumerable.Range(0, 500)
            .Select(_ => Continue(model, [.. Enumerable.Range(0, length).Select(_ => random.Next(2, model.VocabularySize - 1))], count))
            .First(found => found is not null)!)]);
    }

    /// <summary>Continues a prompt; null where the engine is not sure of a token.</summary>
    private static Prompt? Continue(TransformerNetwork model, int[] prompt, int count)
    {
        var (tokens, first) = (new List<int>(), (float[]?)null);
        while (tokens.Count < count)
        {
            var logits = Logits(model, prompt, tokens);
            first ??= logits;
            var best = logits.Index().OrderByDescending(logit => logit.Item).Take(2).ToList();
            if (best[0].Item - best[1].Item <= Margin)
                return null;
            tokens.Add(best[0].Index);
        }

        return new(prompt, [.. tokens], first!);
    }

    private static float[] Logits(TransformerNetwork model, int[] prompt, List<int> tokens)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        Tensor logits;
        if (model is EncoderDecoderModel both)
        {
            using var encoded = both.Encode(new ModelInput(Ids(prompt)));
            logits = both.Forward(new ModelInput(Ids([0, .. tokens])) { Encoded = encoded });
        }
        else
        {
            logits = model.Forward(new ModelInput(Ids([.. prompt, .. tokens])));
        }

        return logits[0, -1].data<float>().ToArray();

        static Tensor Ids(IEnumerable<int> ids) => tensor(ids.Select(id => (long)id).ToArray()).unsqueeze(0);
    }
}
