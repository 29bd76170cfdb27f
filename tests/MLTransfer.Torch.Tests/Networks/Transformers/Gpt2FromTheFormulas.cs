using MLTransfer.Torch.Checkpoints;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Transformers;

/// <summary>
/// GPT-2 written down once more from the definition, in float64, without fused attention, masks by addition and no shared code:
/// what the configuration switches mean, for those that no reference file covers.
/// </summary>
internal sealed class Gpt2FromTheFormulas(Checkpoint weights)
{
    public int Layers { get; init; } = 2;

    public int Heads { get; init; } = 4;

    public double Epsilon { get; init; } = 1e-5;

    public bool ScaleByWidth { get; init; } = true;

    public bool ScaleByLayer { get; init; }

    public required Func<Tensor, Tensor> Activation { get; init; }

    public string Head { get; init; } = "transformer.wte.weight";

    /// <summary>[T] token ids to [T, vocabulary] logits.</summary>
    public Tensor Logits(Tensor ids)
    {
        var length = ids.shape[0];
        var x = W("transformer.wte.weight")[ids] + W("transformer.wpe.weight")[arange(length)]; // [T, C]
        var future = full([length, length], double.NegativeInfinity, ScalarType.Float64).triu(1);
        for (var layer = 0; layer < Layers; layer++)
        {
            var block = $"transformer.h.{layer}";
            var normed = Norm(x, $"{block}.ln_1");
            var projected = Dense(normed, $"{block}.attn.c_attn");
            var width = x.shape[1];
            var headWidth = width / Heads;
            var outputs = new List<Tensor>();
            for (var head = 0; head < Heads; head++)
            {
                var query = projected.narrow(1, head * headWidth, headWidth);
                var key = projected.narrow(1, width + head * headWidth, headWidth);
                var value = projected.narrow(1, 2 * width + head * headWidth, headWidth);
                var scores = query.matmul(key.t());
                if (ScaleByWidth)
                    scores = scores / Math.Sqrt(headWidth);
                if (ScaleByLayer)
                    scores = scores / (layer + 1);
                outputs.Add((scores + future).softmax(-1).matmul(value));
            }

            x = x + Dense(cat(outputs, 1), $"{block}.attn.c_proj");
            x = x + Dense(Activation(Dense(Norm(x, $"{block}.ln_2"), $"{block}.mlp.c_fc")), $"{block}.mlp.c_proj");
        }

        return Norm(x, "transformer.ln_f").matmul(W(Head).t());
    }

    private Tensor Norm(Tensor x, string name)
    {
        var centered = x - x.mean([-1], keepdim: true);
        return centered / (centered.square().mean([-1], keepdim: true) + Epsilon).sqrt() * W($"{name}.weight") + W($"{name}.bias");
    }

    private Tensor Dense(Tensor x, string name) => x.matmul(W($"{name}.weight")) + W($"{name}.bias");

    private Tensor W(string name) => weights.Read(name).to(ScalarType.Float64);
}
