using System.Text.Json.Nodes;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Layers;

/// <summary>Steps of one position a sequence against passes over all positions, which know no cache and no kernel of ours.</summary>
public class DecodingStepTests
{
    private const int Length = 12;

    public static TheoryData<string> Configurations => new()
    {
        "{}",
        """{"activation_function": "quick_gelu"}""",
        """{"activation_function": "silu"}""",
        """{"activation_function": "relu"}""",
        """{"activation_function": "gelu"}""",
        """{"scale_attn_weights": false}""",
        """{"scale_attn_by_inverse_layer_idx": true, "reorder_and_upcast_attn": true}""",
        """{"n_inner": 50, "tie_word_embeddings": false}""",
    };

    [Theory]
    [MemberData(nameof(Configurations))]
    public void Steps_compute_what_one_pass_computes(string changes) => Compare(Create(changes), 3, null, 1e-5f);

    [Theory]
    [InlineData(ScalarType.Float32, 1e-5f)]
    [InlineData(ScalarType.BFloat16, 3e-2f)]
    public void Adapters_take_part(ScalarType type, float tolerance)
    {
        using var wide = Adapted(ScalarType.Float32);
        var model = Adapted(type);
        CopyParameters(model, wide);
        Compare(model, 2, null, tolerance, wide);

        static CausalLanguageModel Adapted(ScalarType type)
        {
            var model = Create("{}", type);
            LowRankAdaptation.Attach(model, new LoraOptions { Rank = 3, TargetModules = ["all-linear"] });
            using var gradients = no_grad();
            foreach (var (_, parameter) in model.TrainableParameters())
                nn.init.normal_(parameter, 0, 0.1);
            model.eval();
            return model;
        }
    }

    [Theory]
    [InlineData(ScalarType.BFloat16, 3e-2f)]
    [InlineData(ScalarType.Float16, 4e-3f)]
    public void Weights_of_16_bits_compute_what_their_float32_values_compute(ScalarType type, float tolerance)
    {
        using var wide = Create("{}");
        var model = Create("{}", type);
        CopyParameters(model, wide);
        Compare(model, 2, null, tolerance, wide);
    }

    [Fact]
    public void Padding_before_a_row_is_not_seen_and_no_mask_with_holes_is_mistaken_for_it()
    {
        var holes = ones(3, Length, ScalarType.Int64);
        holes[0, 2] = 0;
        holes[0, 0] = 0;
        var padding = ones(3, Length, ScalarType.Int64);
        padding[0, 0] = padding[2, 0] = padding[2, 1] = padding[2, 2] = 0;
        Compare(Create("{}"), 3, holes, 1e-5f);
        Compare(Create("{}"), 3, padding, 1e-5f);
    }

    [Fact]
    public void Other_rows_change_no_bit()
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var model = Create("{}");
        var ids = Ids(16);
        var together = Steps(model, ids, 0, null);
        for (var row = 0; row < 16; row++)
            Assert.Equal(Values(together[row]), Values(Steps(model, ids.narrow(0, row, 1), 0, null)[0]));
    }

    [Fact]
    public void Ids_outside_the_tables_and_full_caches_are_refused()
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var model = Create("{}");
        using var cache = model.CreateCache(1, 1);
        Assert.ThrowsAny<Exception>(() => Step(tensor(99L).view(1, 1), null));
        Assert.ThrowsAny<Exception>(() => Step(tensor(-1L).view(1, 1), null));
        Assert.ThrowsAny<Exception>(() => Step(tensor(1L).view(1, 1), tensor(64L).view(1, 1)));
        Step(tensor(1L).view(1, 1), null);
        Assert.Contains("1 more do not fit",
            Assert.Throws<InvalidOperationException>(() => Step(tensor(1L).view(1, 1), tensor(1L).view(1, 1))).Message,
            StringComparison.Ordinal);
        using var other = model.CreateCache(2, 4);
        Assert.ThrowsAny<ArgumentException>(
            () => model.ComputeHiddenStates(new ModelInput(tensor(1L).view(1, 1)) { PastKeyValues = other }));

        void Step(Tensor ids, Tensor? positions) =>
            model.ComputeHiddenStates(new ModelInput(ids) { PositionIds = positions, PastKeyValues = cache });
    }

    private static CausalLanguageModel Create(string changes, ScalarType type = ScalarType.Float32)
    {
        var configuration = JsonNode.Parse(
            """
            {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_embd": 40, "n_head": 4, "n_layer": 2, "n_positions": 64,
             "vocab_size": 99, "activation_function": "gelu_new", "initializer_range": 0.3, "layer_norm_epsilon": 1e-5}
            """)!.AsObject();
        foreach (var (name, value) in JsonNode.Parse(changes)!.AsObject())
            configuration[name] = value?.DeepClone();
        var model = CausalLanguageModel.Create(configuration, type);
        model.eval();
        return model;
    }

    private static void CopyParameters(CausalLanguageModel from, CausalLanguageModel to)
    {
        using var gradients = no_grad();
        var sources = from.named_parameters().Concat(from.AdapterParameters());
        var targets = to.named_parameters().Concat(to.AdapterParameters());
        foreach (var (source, target) in sources.Zip(targets))
            target.parameter.copy_(source.parameter);
    }

    private static Tensor Ids(int rows) =>
        tensor(Enumerable.Range(0, rows * Length).Select(i => i * 37L % 97).ToArray()).view(rows, Length);

    private static void Compare(CausalLanguageModel model, int rows, Tensor? mask, float tolerance, CausalLanguageModel? reference = null)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var owned = model;
        var ids = Ids(rows);
        Tensor expected;
        using (enable_grad())
            expected = (reference ?? model)
                .Forward(new ModelInput(ids) { AttentionMask = mask, PositionIds = Positions(mask) }).to(ScalarType.Float32).detach();
        foreach (var prompt in (int[])[0, 5])
        {
            var actual = Steps(model, ids, prompt, mask);
            for (var row = 0; row < rows; row++)
            {
                // Of the whole row: single logits of random bfloat16 weights err by any amount, though seldom by a large one.
                var first = mask is null ? 0 : (int)mask[row].argmax().item<long>();
                var distance = (actual[row, first..] - expected[row, first..]).norm() / expected[row, first..].norm();
                Assert.InRange(distance.item<float>(), 0, tolerance);
            }
        }
    }

    /// <returns>[rows, length, vocabulary] logits; those of the first <paramref name="prompt"/> positions from one pass.</returns>
    private static Tensor Steps(CausalLanguageModel model, Tensor ids, int prompt, Tensor? mask)
    {
        using var cache = model.CreateCache((int)ids.shape[0], Length);
        var logits = new List<Tensor>();
        for (var (start, end) = (0, Math.Max(1, prompt)); start < Length; (start, end) = (end, end + 1))
        {
            var hidden = model.ComputeHiddenStates(new ModelInput(ids.narrow(1, start, end - start))
            {
                AttentionMask = mask?.narrow(1, 0, end),
                PositionIds = Positions(mask)?.narrow(1, start, end - start),
                PastKeyValues = cache,
            });
            logits.Add(model.ComputeLogits(hidden).to(ScalarType.Float32));
        }

        return cat(logits, 1);
    }

    private static Tensor? Positions(Tensor? mask) => mask is null ? null : (mask.cumsum(1) - 1).clamp(0).to(ScalarType.Int64);

    private static float[] Values(Tensor tensor) => NativeTensor.AsSpan<float>(tensor.contiguous()).ToArray();
}
