using System.Text.Json.Nodes;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training.Language;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Adaptation;

public class WeightQuantizationTests
{
    private const int Length = 12;

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"activation_function": "gelu"}""")]
    [InlineData("""{"n_inner": 50, "tie_word_embeddings": false}""")]
    [InlineData("""{"reorder_and_upcast_attn": true}""")]
    [InlineData("{}", QuantizationFormat.Int4, 0.4)]
    [InlineData("""{"n_inner": 50, "tie_word_embeddings": false}""", QuantizationFormat.Int4, 0.4)]
    public void Quantized_model_computes_nearly_what_it_computed_before_in_one_pass_and_in_steps(
        string changes, QuantizationFormat format = QuantizationFormat.Int8, double most = 0.03)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var model = Create(changes);
        var ids = Ids(3);
        var before = model.Forward(new ModelInput(ids));

        WeightQuantization.Quantize(model, format);

        Assert.True(model.IsQuantized);
        Assert.Equal(format, model.QuantizedTo);
        var after = model.Forward(new ModelInput(ids));
        Assert.InRange(Distance(before, after), 1e-5, most); // not 0: it computes with other weights
        foreach (var prompt in (int[])[1, 5])
            Assert.InRange(Distance(after, Steps(model, ids, prompt)), 0, most / 3); // the cache is bfloat16
    }

    [Fact]
    public void Only_vectors_and_position_embeddings_stay_parameters()
    {
        using var model = Create("""{"tie_word_embeddings": false}""");
        var vectors = model.named_parameters().Where(p => p.parameter.dim() == 1).Select(p => p.name);
        string[] expected = [.. vectors.Append("transformer.wpe.weight").Order(StringComparer.Ordinal)];

        WeightQuantization.Quantize(model);

        Assert.Equal(expected, model.named_parameters().Select(p => p.name).Order(StringComparer.Ordinal));
        Assert.Equal((ScalarType.Float32, TorchSharp.DeviceType.CPU), (model.DataType, model.Device.type));
        Assert.ThrowsAny<InvalidOperationException>(() => model.TokenEmbedding.sum());
        Assert.ThrowsAny<InvalidOperationException>(() => model.OutputHead.sum());
    }

    [Theory]
    [InlineData(QuantizationFormat.Int8)]
    [InlineData(QuantizationFormat.Int4)]
    public void Other_rows_change_no_bit(QuantizationFormat format)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var model = Create("{}");
        WeightQuantization.Quantize(model, format);
        var ids = Ids(11);
        var together = Steps(model, ids, 1);
        for (var row = 0; row < 11; row++)
            Assert.Equal(Values(together[row]), Values(Steps(model, ids.narrow(0, row, 1), 1)[0]));
    }

    [Fact]
    public void Quantized_model_generates_and_evaluates()
    {
        using var model = Create("{}");
        WeightQuantization.Quantize(model);
        var options = new GenerationOptions { MaximumNewTokens = 20, EndOfSequenceIds = [], BatchSize = 2 };
        int[][] prompts = [[1, 2, 3, 4, 5], [6], [7, 8]];
        var together = new TokenGenerator(model).Generate(prompts, options, cancellationToken: TestContext.Current.CancellationToken);
        Assert.All(together, sequences => Assert.Equal(20, sequences[0].TokenIds.Count));
        var beams = new TokenGenerator(model)
            .Generate(prompts, options with { BeamCount = 3 }, cancellationToken: TestContext.Current.CancellationToken);
        Assert.All(beams, sequences => Assert.Equal(20, sequences[0].TokenIds.Count));

        using var ids = Ids(4);
        var rows = TrainingExamples.Blocks([.. ids.data<long>().Select(id => (int)id)], Length);
        var loss = Evaluator.Evaluate(model, rows, cancellationToken: TestContext.Current.CancellationToken).Loss;
        using var original = Create("{}");
        Assert.Equal(Evaluator.Evaluate(original, rows, cancellationToken: TestContext.Current.CancellationToken).Loss, loss, 0.02 * loss);
    }

    [Fact]
    public void Ids_outside_the_table_are_refused()
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var model = Create("{}");
        WeightQuantization.Quantize(model);
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Forward(new ModelInput(tensor(99L).view(1, 1))));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Forward(new ModelInput(tensor(-1L).view(1, 1))));
    }

    [Fact]
    public void What_needs_float32_weights_is_refused_with_the_remedy()
    {
        using var folder = new TemporaryFolder();
        using var model = Create("{}");
        WeightQuantization.Quantize(model);
        AssertRefused("saved", () => model.Save(folder.Path));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
        AssertRefused("saved", () => model.CheckpointTensors());
        AssertRefused("trained",
            () => new LanguageModelTrainer(model, new LanguageTrainingOptions(), TrainingExamples.Blocks([1, 2, 3, 4], 2))
            .Train(cancellationToken: TestContext.Current.CancellationToken));
        AssertRefused("adapted", () => LowRankAdaptation.Attach(model, new LoraOptions { TargetModules = ["c_attn"] }));
        AssertRefused("quantized again", () => WeightQuantization.Quantize(model));
        Assert.Throws<ArgumentOutOfRangeException>(() => WeightQuantization.Quantize(model, (QuantizationFormat)7));

        using var narrow = Create("{}", ScalarType.BFloat16);
        Assert.Contains("Load it as Float32", Assert.Throws<InvalidOperationException>(() => WeightQuantization.Quantize(narrow)).Message,
            StringComparison.Ordinal);
        using var adapted = Create("{}");
        LowRankAdaptation.Attach(adapted, new LoraOptions { TargetModules = ["c_attn"] });
        Assert.Contains("Merge them", Assert.Throws<InvalidOperationException>(() => WeightQuantization.Quantize(adapted)).Message,
            StringComparison.Ordinal);

        static void AssertRefused(string what, Action action)
        {
            var message = Assert.Throws<InvalidOperationException>(action).Message;
            Assert.Contains($"cannot be {what}", message, StringComparison.Ordinal);
            Assert.Contains("Load the model again", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Converted_model_has_the_adapters_merged_and_shares_weights_of_the_same_type()
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        manual_seed(7); // how far a narrow type is off depends on the weights
        using var model = Create("{}");
        LowRankAdaptation.Attach(model, new LoraOptions { Rank = 3, TargetModules = ["c_attn", "c_fc"] });
        foreach (var (_, parameter) in model.TrainableParameters())
            nn.init.normal_(parameter, 0, 0.3);
        var ids = Ids(2);
        var expected = model.Forward(new ModelInput(ids));

        using var same = model.ConvertTo(ScalarType.Float32);
        using var narrow = model.ConvertTo(ScalarType.BFloat16);

        Assert.InRange(Distance(expected, same.Forward(new ModelInput(ids))), 0, 1e-5);
        Assert.InRange(Distance(expected, narrow.Forward(new ModelInput(ids))), 1e-5, 0.15);
        Assert.Equal(ScalarType.BFloat16, narrow.DataType);
        unsafe
        {
            Assert.True(NativeTensor.Pointer(model.TokenEmbedding) == NativeTensor.Pointer(same.TokenEmbedding));
        }

        WeightQuantization.Quantize(same);
        Assert.InRange(Distance(expected, same.Forward(new ModelInput(ids))), 1e-5, 0.3);
        Assert.InRange(Distance(expected, model.Forward(new ModelInput(ids))), 0, 0); // its weights are where they were
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
        using (no_grad())
        using (NewDisposeScope())
        using (var generator = new Generator(7))
        {
            foreach (var parameter in model.parameters().Where(p => p.dim() == 2))
                parameter.copy_(randn(parameter.shape, generator: generator) * 0.3);
        }

        model.eval();
        return model;
    }

    private static Tensor Ids(int rows) =>
        tensor(Enumerable.Range(0, rows * Length).Select(i => i * 37L % 97).ToArray()).view(rows, Length);

    private static double Distance(Tensor expected, Tensor actual)
    {
        using var scope = NewDisposeScope();
        return ((actual.to(ScalarType.Float64) - expected).norm() / expected.to(ScalarType.Float64).norm()).item<double>();
    }

    /// <returns>[rows, length, vocabulary] logits; those of the first <paramref name="prompt"/> positions from one pass.</returns>
    private static Tensor Steps(CausalLanguageModel model, Tensor ids, int prompt)
    {
        using var cache = model.CreateCache((int)ids.shape[0], Length);
        var logits = new List<Tensor>();
        for (var (start, end) = (0, prompt); start < Length; (start, end) = (end, end + 1))
        {
            var hidden = model.ComputeHiddenStates(new ModelInput(ids.narrow(1, start, end - start)) { PastKeyValues = cache });
            logits.Add(model.ComputeLogits(hidden));
        }

        return cat(logits, 1);
    }

    private static float[] Values(Tensor tensor) => NativeTensor.AsSpan<float>(tensor.contiguous()).ToArray();
}
