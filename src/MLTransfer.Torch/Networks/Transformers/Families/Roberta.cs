using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>RoBERTa (arXiv 1907.11692): BERT whose positions count tokens, from the row behind the padding token's.</summary>
internal static class Roberta
{
    public static Family Family { get; } = new("roberta", ["RobertaForMaskedLM", "RobertaForCausalLM", "RobertaModel"], c =>
    {
        var (range, padding, rows) =
            (c.Number("initializer_range", 0.02), c.Count("pad_token_id", 1), c.Size("max_position_embeddings", 512));
        if (rows <= padding + 1)
            throw c.Invalid($"max_position_embeddings {rows} leaves no position behind pad_token_id {padding}");
        Head? head = !c.Stores("lm_head.dense.weight") ? null
            : new Head(
                c.Flag("tie_word_embeddings", true) ? "roberta.embeddings.word_embeddings.weight" : "lm_head.decoder.weight",
                c.Size("vocab_size", 50265), range)
            {
                Bias = new HeadBias("lm_head.bias"),
                Transform = new(new Projection("lm_head.dense", HasBias: true, range), Activation.Gelu, Bert.Norm(c, "lm_head.layer_norm")),
            };
        return Bert.Describe(c, "roberta", c.Activation("hidden_act", "gelu"), rows - padding - 1, head, new LearnedPositions(
            "roberta.embeddings.position_embeddings.weight", rows, padding + 1, PositionCounting.Tokens, range) { PaddingId = padding });
    })
    {
        BasePrefix = "roberta.",
        LoraTargets = ["query", "value"],
        Ignored = ["*position_ids", "*token_type_ids", "*pooler.*", "lm_head.decoder.*"],
        Renamed = [("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")],
    };
}
