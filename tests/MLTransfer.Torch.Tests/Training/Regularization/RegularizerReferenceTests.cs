using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Training.Language;
using Xunit;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Tests.Training.Regularization;

/// <summary>Losses and gradients of a GPT-2 with label smoothing, NEFTune and z-loss.</summary>
public class RegularizerReferenceTests
{
    private static readonly JsonNode s_reference =
        JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data("training/regularizers.json")))!["results"]!;

    [Theory]
    [InlineData("none")]
    [InlineData("label_smoothing")]
    [InlineData("neftune")]
    [InlineData("z_loss")]
    [InlineData("z_loss_large")]
    public void Loss_and_gradients_equal_the_reference(string name)
    {
        var expected = s_reference[name]!;
        using var scope = NewDisposeScope();
        using var tensors = SafetensorsFile.Open(RepositoryFiles.Data("training/regularizers.safetensors"));
        using var model = CausalLanguageModel.Load(RepositoryFiles.Data("gpt2-tiny"));
        var (ids, labels, mask) = (Rows("input_ids"), Rows("labels"), Rows("attention_mask"));
        var rows = Enumerable.Range(0, ids.Count)
            .Select(row => new TrainingExample(ids[row][..mask[row].Sum()], labels[row][..mask[row].Sum()])).ToList();
        var noise = expected["alpha"] is { } alpha ? new RecordedNoise(alpha.GetValue<double>(), tensors.Read("neftune.draws")) : null;
        var loss = LanguageModelLoss.Backward(
            model, TrainingBatch.Create(rows, CPU), 1.0 / rows.Sum(row => row.PredictedTokens), regularization: new LossRegularization(
                new CrossEntropyTerms(Number("epsilon"), Number("coefficient")), noise));
        Assert.Equal(Number("loss"), loss, 1e-5 * Number("loss"));
        var gradients = model.TrainableParameters().ToDictionary(p => p.Name, p => p.Parameter.grad!);
        foreach (var (parameter, norm) in expected["grad_norm_of"]!.AsObject())
            Assert.Equal(norm!.GetValue<double>(), gradients[parameter].norm().item<float>(), 2e-5);

        double Number(string key) => expected[key]?.GetValue<double>() ?? 0;

        List<int[]> Rows(string tensor)
        {
            var values = tensors.Read(tensor);
            return [.. Enumerable.Range(0, (int)values.shape[0]).Select(row => values[row].to(ScalarType.Int32).data<int>().ToArray())];
        }
    }

    [Theory]
    [InlineData(ScalarType.Float32, true)]
    [InlineData(ScalarType.Float32, false)] // by tensor operations
    [InlineData(ScalarType.BFloat16, true)]
    public void Smoothing_and_z_loss_together_have_the_gradient_of_autograd(ScalarType type, bool isPlain)
    {
        using var scope = NewDisposeScope();
        var logits = (randn([5, 33], generator: new Generator(3)) * 4).to(type);
        var targets = tensor([3L, 0L, 32L, 7L, 7L]);
        var leaf = logits.to(ScalarType.Float32).requires_grad_();
        var terms = new CrossEntropyTerms(0.2, 0.03);
        var expected = 0.8 * F.cross_entropy(leaf, targets, reduction: nn.Reduction.Sum)
            - 0.2 * F.log_softmax(leaf, 1).mean([1]).sum() + 0.03 * leaf.logsumexp(1).square().sum();
        (expected * 0.5).backward();
        var own = isPlain ? logits.clone() : logits.t().contiguous().t();
        Assert.Equal(isPlain, own.is_contiguous());
        Assert.Equal(expected.item<float>(), CrossEntropy.SumWithGradient(own, targets, 0.5, terms), 1e-5 * expected.item<float>());
        var worst = (own.to(ScalarType.Float32) - leaf.grad!).abs().max().item<float>();
        Assert.True(worst < (type == ScalarType.BFloat16 ? 1e-2 : 1e-5), $"differs by {worst}");
    }

    [Theory]
    [InlineData("gemma2-tiny", 1)] // its scale comes after the table
    [InlineData("gemma3-tiny", 5.656854249492381)] // sqrt(32), by the table itself
    [InlineData("qwen2-tiny", 1)]
    public void Noise_is_added_to_what_the_table_gives(string folder, double scale)
    {
        using var model = CausalLanguageModel.Load(RepositoryFiles.Data("families/" + folder));
        Assert.Equal(scale, model.Output.Input.TableScale, 1e-9);
        using var scope = NewDisposeScope();
        var ids = tensor([1L, 2L, 3L, 4L], [2, 2]);
        var plain = LookedUpRows.OfTokens(model.Output.Input, ids, ScalarType.Float32, noise: null, stream: 0).Values;
        var noisy = LookedUpRows.OfTokens(
            model.Output.Input, ids, ScalarType.Float32, new RecordedNoise(4, ones([2, 2, plain.shape[2]])), stream: 0).Values;
        var expected = 4 / Math.Sqrt(2 * plain.shape[2]) / scale;
        Assert.Equal(expected, (noisy - plain).mean().item<float>(), 1e-5);
    }

    private sealed class RecordedNoise(double alpha, Tensor draws) : EmbeddingNoise(alpha, [])
    {
        protected override Tensor Draw(int row, ulong stream, long length, long width) => draws[row];
    }
}
