using MLTransfer.Torch.Tests.Checkpoints;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;
using AdamW = MLTransfer.Torch.Training.Optimizers.AdamW;

namespace MLTransfer.Torch.Tests.Training.Optimizers;

public class AdamWTests
{
    private const double LearningRate = 1e-2;
    private const double WeightDecay = 0.1;

    public static TheoryData<long> AwkwardLengths => [1, 15, 16, 17, 1000, (1 << 16) + 3];

    [Theory]
    [MemberData(nameof(AwkwardLengths))]
    public void Vector_kernel_and_tensor_operations_take_the_steps_of_torch_with_decay_and_clipping(long length)
    {
        using var scope = NewDisposeScope();
        var generator = new Generator(5);
        var (start, startOfVector) = (randn(length, generator: generator), randn(7, generator: generator));
        var (plain, plainVector) = (Copy(start), Copy(startOfVector));
        var (strided, stridedVector) = (Strided(start), Strided(startOfVector));
        var (torchs, torchsVector) = (Copy(start), Copy(startOfVector));
        using var vectorKernel = new AdamW([("a", plain, true), ("b", plainVector, false)], 0.9, 0.99, 1e-8);
        using var tensorOperations = new AdamW([("a", strided, true), ("b", stridedVector, false)], 0.9, 0.99, 1e-8);
        var decayed = optim.AdamW([torchs], LearningRate, 0.9, 0.99, 1e-8, WeightDecay);
        var undecayed = optim.AdamW([torchsVector], LearningRate, 0.9, 0.99, 1e-8, weight_decay: 0);

        for (var step = 0; step < 20; step++)
        {
            using var stepScope = NewDisposeScope();
            foreach (var (parameter, twin, reference) in (
                IEnumerable<(Parameter, Parameter, Parameter)>)[(plain, strided, torchs), (plainVector, stridedVector, torchsVector)])
            {
                var gradient = randn(parameter.shape[0], generator: generator) * (0.1 + step % 3);
                parameter.grad = gradient.clone();
                twin.grad = gradient.clone();
                reference.grad = gradient.clone();
            }

            var expectedNorm = cat([torchs.grad!, torchsVector.grad!], 0).to(ScalarType.Float64).norm().item<double>();
            var norm = vectorKernel.GradientNorm();
            Assert.Equal(expectedNorm, norm, 1e-6 * expectedNorm);
            Assert.Equal(expectedNorm, tensorOperations.GradientNorm(), 1e-6 * expectedNorm);

            var factor = Math.Min(1, 2 / (norm + 1e-6));
            vectorKernel.Step(LearningRate, WeightDecay, factor);
            tensorOperations.Step(LearningRate, WeightDecay, factor);
            nn.utils.clip_grad_norm_([torchs, torchsVector], 2);
            decayed.step();
            undecayed.step();
        }

        Assert.Equal(20, vectorKernel.StepCount);
        AssertClose(torchs, plain);
        AssertClose(torchsVector, plainVector);
        AssertClose(torchs, strided);
        AssertClose(torchsVector, stridedVector);
        Assert.True((plain - start).abs().min().item<float>() > 0, "some weight never moved");
    }

    [Fact]
    public void Two_threads_give_the_same_bits_every_time_and_those_of_one_thread()
    {
        var expected = Run();
        try
        {
            set_num_threads(2);
            for (var i = 0; i < 3; i++)
                Assert.Equal(expected, Run());
        }
        finally
        {
            set_num_threads(1);
        }

        static (double Norm, string Weights) Run()
        {
            using var scope = NewDisposeScope();
            var generator = new Generator(6);
            var parameter = Copy(randn(5 * (1 << 16) + 3, generator: generator));
            using var optimizer = new AdamW([("a", parameter, true)], 0.9, 0.999, 1e-8);
            double norm = 0;
            for (var step = 0; step < 3; step++)
            {
                parameter.grad = randn(parameter.shape[0], generator: generator);
                norm += optimizer.GradientNorm();
                optimizer.Step(LearningRate, WeightDecay, 0.5);
            }

            return (norm, Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(TensorBytes.Of(parameter))));
        }
    }

    [Fact]
    public void A_parameter_without_a_gradient_stays_as_it_is()
    {
        using var scope = NewDisposeScope();
        var (parameter, other) = (Copy(ones(3)), Copy(ones(3)));
        other.grad = ones(3);
        using var optimizer = new AdamW([("a", parameter, true), ("b", other, true)], 0.9, 0.999, 1e-8);
        Assert.Equal(Math.Sqrt(3), optimizer.GradientNorm(), 1e-12);
        optimizer.Step(LearningRate, WeightDecay, 1);
        Assert.Equal([1f, 1f, 1f], parameter.data<float>().ToArray());
        Assert.All(
            other.data<float>().ToArray(), weight => Assert.Equal(1 * (1 - LearningRate * WeightDecay) - LearningRate, weight, 1e-6));
        optimizer.ClearGradients();
        Assert.Equal(0, optimizer.GradientNorm());
    }

    [Fact]
    public void Bfloat16_parameters_take_the_same_steps_within_their_precision()
    {
        using var scope = NewDisposeScope();
        var (full, half) = (Copy(ones(9)), new Parameter(ones(9, dtype: ScalarType.BFloat16)));
        using var ofFull = new AdamW([("a", full, true)], 0.9, 0.999, 1e-8);
        using var ofHalf = new AdamW([("a", half, true)], 0.9, 0.999, 1e-8);
        for (var step = 0; step < 5; step++)
        {
            full.grad = linspace(-1, 1, 9);
            half.grad = linspace(-1, 1, 9).to(ScalarType.BFloat16);
            ofFull.Step(0.1, 0, 1);
            ofHalf.Step(0.1, 0, 1);
        }

        Assert.Equal(ScalarType.BFloat16, half.dtype);
        var worst = (half.to(ScalarType.Float32) - full).abs().max().item<float>();
        Assert.True(worst < 0.02, $"differs by {worst}");
        Assert.True((full - 1).abs().max().item<float>() > 0.4);
    }

    [Theory]
    [MemberData(nameof(AwkwardLengths))]
    public void A_bfloat16_gradient_at_a_copy_gives_the_same_bits_as_its_numbers_at_the_parameter(long length)
    {
        using var scope = NewDisposeScope();
        var generator = new Generator(7);
        var start = randn(length, generator: generator);
        var (plain, copied, strided) = (Copy(start), Copy(start), Strided(start));
        using var expected = new AdamW([("a", plain, true)], 0.9, 0.99, 1e-8);
        using var vectorKernel = new AdamW([("a", copied, true)], 0.9, 0.99, 1e-8);
        using var tensorOperations = new AdamW([("a", strided, true)], 0.9, 0.99, 1e-8);
        var copy = vectorKernel.CopyOf(copied, ScalarType.BFloat16);
        var copyOfStrided = tensorOperations.CopyOf(strided, ScalarType.BFloat16);
        Assert.Same(copy, vectorKernel.CopyOf(copied, ScalarType.BFloat16));
        for (var step = 0; step < 5; step++)
        {
            using var stepScope = NewDisposeScope();
            var gradient = randn(length, generator: generator).to(ScalarType.BFloat16);
            plain.grad = gradient.to(ScalarType.Float32);
            copy.grad = gradient.clone();
            copyOfStrided.grad = gradient.clone();
            Assert.Equal(expected.GradientNorm(), vectorKernel.GradientNorm());
            foreach (var optimizer in (AdamW[])[expected, vectorKernel, tensorOperations])
            {
                optimizer.Step(LearningRate, WeightDecay, 0.5);
                optimizer.ClearGradients();
                Assert.Equal(0, optimizer.GradientNorm());
            }

            Assert.True(plain.equal(copied).all().item<bool>());
            Assert.True(copy.equal(copied.to(ScalarType.BFloat16)).all().item<bool>());
            Assert.True(copyOfStrided.equal(strided.to(ScalarType.BFloat16)).all().item<bool>());
        }

        AssertClose(plain, strided);
    }

    [Fact]
    public void Gradients_at_a_copy_are_added_up_in_the_precision_of_the_parameter()
    {
        using var scope = NewDisposeScope();
        var parameter = Copy(zeros(3));
        using var optimizer = new AdamW([("a", parameter, true)], 0.9, 0.999, 1e-8);
        var copy = optimizer.CopyOf(parameter, ScalarType.BFloat16);
        foreach (var value in (float[])[256, 1, 1]) // 257 is no bfloat16
        {
            copy.grad = full(3, value, dtype: ScalarType.BFloat16);
            optimizer.AddUpGradients();
            Assert.Null(copy.grad);
        }

        Assert.Equal([258f, 258f, 258f], parameter.grad!.data<float>().ToArray());
    }

    [Fact]
    public void A_copy_of_a_parameter_that_is_not_the_optimizers_is_refused()
    {
        using var scope = NewDisposeScope();
        using var optimizer = new AdamW([("a", Copy(ones(3)), true)], 0.9, 0.999, 1e-8);
        Assert.Throws<ArgumentException>(() => optimizer.CopyOf(Copy(ones(3)), ScalarType.BFloat16));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void A_gradient_that_is_not_finite_shows_in_the_norm_wherever_it_is(float value)
    {
        foreach (var position in (int[])[0, 16, 65_536, 65_538])
        {
            using var scope = NewDisposeScope();
            var parameter = Copy(zeros(65_539));
            parameter.grad = zeros(65_539);
            parameter.grad[position] = value;
            using var optimizer = new AdamW([("a", parameter, true)], 0.9, 0.999, 1e-8);
            Assert.False(double.IsFinite(optimizer.GradientNorm()));
        }
    }

    private static Parameter Copy(Tensor values) => new(values.clone());

    /// <summary>The same values with gaps in memory, which the vector kernel does not take.</summary>
    private static Parameter Strided(Tensor values)
    {
        var strided = stack([values, values], 1).select(1, 0);
        Assert.Equal(values.shape[0] == 1, strided.is_contiguous());
        return new Parameter(strided);
    }

    private static void AssertClose(Tensor expected, Tensor actual)
    {
        var worst = ((actual - expected).abs() / (expected.abs() + 1)).max().item<float>();
        Assert.True(worst < 1e-6, $"differs by {worst}");
    }
}
