using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Layers.Frozen;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Layers.Frozen;

public class FrozenMatrixTests
{
    public static TheoryData<FrozenFormat, ScalarType> Formats => new(
        from format in Enum.GetValues<FrozenFormat>()
        from type in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16]
        select (format, type));

    [Theory]
    [InlineData("a", FrozenFormat.Int8, "q8_0")]
    [InlineData("b", FrozenFormat.Int8, "q8_0")]
    [InlineData("a", FrozenFormat.NormalFloat4, "nf4")]
    [InlineData("b", FrozenFormat.NormalFloat4, "nf4")]
    public void A_matrix_has_the_values_of_the_reference(string name, FrozenFormat format, string reference)
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(RepositoryFiles.Data("gguf/quantization.safetensors"));
        using var matrix = FrozenMatrix.Create(file.Read(name), format);
        Assert.True(Whole(matrix).equal(file.Read($"{name}.{reference}.values")).all().item<bool>());
    }

    [Theory]
    [InlineData(FrozenFormat.Int8, 0.008)]
    [InlineData(FrozenFormat.Int4, 0.09)]
    [InlineData(FrozenFormat.NormalFloat4, 0.12)]
    [InlineData(FrozenFormat.DoubleNormalFloat4, 0.12)]
    public void A_matrix_of_any_shape_and_type_comes_back_nearly_in_as_few_bits_as_are_said(FrozenFormat format, double most)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(4);
        foreach (var (rows, columns) in ((int, int)[])[(1, 1), (3, 31), (70, 129), (256, 256)])
        {
            foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16, ScalarType.Float16])
            {
                var weight = randn([rows, columns], generator: generator).to(type);
                using var matrix = FrozenMatrix.Create(weight, format);
                var distance = ((Whole(matrix) - weight).norm() / weight.to(ScalarType.Float32).norm()).item<float>();
                Assert.InRange(distance, 0, most);
                if (rows == 256)
                    Assert.Equal(FrozenMatrix.BitsOf(format), matrix.Bytes * 8.0 / weight.numel(), 0.01 * FrozenMatrix.BitsOf(format));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Products_and_gradients_are_those_of_the_matrix_as_numbers(FrozenFormat format, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        const int Rows = 12000, Columns = 200; // several parts by rows, and by columns
        using var matrix = FrozenMatrix.Create(randn([Rows, Columns], generator: generator), format);
        var whole = Whole(matrix, type);
        foreach (var byRows in (bool[])[true, false])
        {
            var weight = byRows ? whole.t() : whole;
            var input = (randn([2, 3, byRows ? Columns : Rows], generator: generator) / 10).to(type).requires_grad_(true);
            var above = randn([2, 3, byRows ? Rows : Columns], generator: generator).to(type);
            var product = FrozenFunction.Call(input, matrix, byRows);
            autograd.backward(product, above);

            Near(matmul(input.detach(), weight), product.detach());
            Near(matmul(above, weight.t()), input.grad!);
            using var gradients = no_grad();
            Assert.True(FrozenFunction.Call(input, matrix, byRows).equal(product).all().item<bool>());
        }

        void Near(Tensor expected, Tensor actual)
        {
            Assert.Equal(type, actual.dtype);
            Assert.Equal(expected.shape, actual.shape);
            var distance = ((actual - expected).to(ScalarType.Float32).norm() / expected.to(ScalarType.Float32).norm()).item<float>();
            Assert.InRange(distance, 0, type == ScalarType.Float32 ? 1e-5 : 1e-2);
        }
    }

    [Theory]
    [InlineData(FrozenFormat.Int8)]
    [InlineData(FrozenFormat.Int4)]
    [InlineData(FrozenFormat.DoubleNormalFloat4)]
    public void Zeros_stay_zeros_and_what_is_not_finite_is_refused(FrozenFormat format)
    {
        using var scope = NewDisposeScope();
        var weight = zeros(5, 70);
        using (var matrix = FrozenMatrix.Create(weight, format))
            Assert.Equal(0, Whole(matrix).abs().max().item<float>());
        weight[4, 69] = float.NaN;
        Assert.Contains("not finite", Assert.Throws<ArgumentException>(() => FrozenMatrix.Create(weight, format)).Message,
            StringComparison.Ordinal);
    }

    private static Tensor Whole(FrozenMatrix matrix, ScalarType type = ScalarType.Float32) =>
        matrix.Part(0, matrix.Rows, 0, matrix.Columns, type);
}
