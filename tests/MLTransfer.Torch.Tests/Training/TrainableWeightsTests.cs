using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training.Language;
using Xunit;
using static TorchSharp.torch;
using AdamW = MLTransfer.Torch.Training.Optimizers.AdamW;
using Linear = MLTransfer.Torch.Layers.Linear;

namespace MLTransfer.Torch.Tests.Training;

[Collection(ProcessWideState.Name)]
public class TrainableWeightsTests
{
    [Theory]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(3, false)]
    public void Steps_give_the_same_bits_with_weights_that_are_converted_once_a_step(int passes, bool gradientCheckpointing)
    {
        var (norms, weights) = Train(passes, gradientCheckpointing, isConvertedOnce: false);
        using var converted = TinyRun.LoadModel();
        Assert.Equal(norms, Train(converted, passes, gradientCheckpointing, isConvertedOnce: true));
        WeightBytes.AssertEqual(weights, converted);
    }

    [Fact]
    public void Gradients_of_products_wait_in_the_type_of_products()
    {
        using var scope = NewDisposeScope();
        using var model = TinyRun.LoadModel();
        model.ComputeType = ScalarType.BFloat16;
        using var optimizer = Optimizer(model);
        TrainableWeights.Convert(model, optimizer);
        LanguageModelLoss.Backward(model, Batch(0), 0.1);
        Assert.All(Linears(model), layer =>
        {
            Assert.Equal(ScalarType.BFloat16, layer.ConvertedWeight!.grad!.dtype);
            Assert.Null(layer.Weight.grad);
        });
        Assert.Equal(ScalarType.Float32, model.OutputHead.grad!.dtype);
    }

    [Fact]
    public void Frozen_weights_and_those_of_the_products_type_get_no_copy()
    {
        using var frozen = TinyRun.CreateModel(TinyRunKind.Adapters);
        frozen.ComputeType = ScalarType.BFloat16;
        using var ofFrozen = Optimizer(frozen);
        TrainableWeights.Convert(frozen, ofFrozen);
        Assert.All(Linears(frozen), layer => Assert.Null(layer.ConvertedWeight));
        Assert.Null(frozen.Head.Converted);

        using var full = TinyRun.LoadModel();
        using var ofFull = Optimizer(full);
        TrainableWeights.Convert(full, ofFull);
        Assert.All(Linears(full), layer => Assert.Null(layer.ConvertedWeight));
    }

    [Fact]
    public void A_model_reads_its_own_weights_again_once_its_compute_type_is_set()
    {
        using var model = TinyRun.LoadModel();
        model.ComputeType = ScalarType.BFloat16;
        using var optimizer = Optimizer(model);
        TrainableWeights.Convert(model, optimizer);
        Assert.NotNull(model.Head.Converted);
        model.ComputeType = null;
        Assert.Null(model.Head.Converted);
        Assert.All(Linears(model), layer => Assert.Null(layer.ConvertedWeight));
    }

    private static (List<double> Norms, IReadOnlyDictionary<string, byte[]> Weights) Train(
        int passes, bool gradientCheckpointing, bool isConvertedOnce)
    {
        using var model = TinyRun.LoadModel();
        var norms = Train(model, passes, gradientCheckpointing, isConvertedOnce);
        return (norms, WeightBytes.Of(model));
    }

    private static List<double> Train(CausalLanguageModel model, int passes, bool gradientCheckpointing, bool isConvertedOnce)
    {
        model.train();
        model.Dropout = new DropoutProbabilities(0, 0, 0);
        model.ComputeType = ScalarType.BFloat16;
        using var optimizer = Optimizer(model);
        if (isConvertedOnce)
            TrainableWeights.Convert(model, optimizer);
        var norms = new List<double>();
        for (var step = 0; step < 4; step++)
        {
            for (var pass = 0; pass < passes; pass++)
            {
                using var scope = NewDisposeScope();
                using var checkpoints = gradientCheckpointing ? new BlockRecomputation(seed: 1, model.DropoutSource) : null;
                norms.Add(LanguageModelLoss.Backward(model, Batch(step + pass), 0.1, checkpoints));
                if (passes > 1)
                    optimizer.AddUpGradients();
            }

            norms.Add(optimizer.GradientNorm());
            optimizer.Step(1e-2, 0.01, 0.5);
            optimizer.ClearGradients();
        }

        model.ComputeType = null;
        return norms;
    }

    private static AdamW Optimizer(CausalLanguageModel model) =>
        new(model.TrainableParameters().Select(p => (p.Name, p.Parameter, Decays: true)), 0.9, 0.999, 1e-8);

    private static TrainingBatch Batch(int start) => TrainingBatch.Create([TinyRun.Rows[start], TinyRun.Rows[start + 1]], CPU);

    private static IEnumerable<Linear> Linears(CausalLanguageModel model) => model.modules().OfType<Linear>();
}
