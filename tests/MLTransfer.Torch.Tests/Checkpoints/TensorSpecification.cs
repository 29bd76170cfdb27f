using FsCheck;
using FsCheck.Fluent;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Checkpoints;

/// <summary>
/// A tensor to be made: any type that checkpoints store, scalars and tensors without elements included, with any bits as elements.
/// </summary>
public sealed record TensorSpecification(string Name, ScalarType Type, long[] Shape, int Seed)
{
    internal Tensor Create()
    {
        byte[] bytes = new byte[Shape.Aggregate(1L, (product, extent) => product * extent) * NativeTensor.ElementSize(Type)];
        new Random(Seed).NextBytes(bytes);
        if (Type == ScalarType.Bool)
            for (int index = 0; index < bytes.Length; index++) bytes[index] &= 1;
        return TensorBytes.From(bytes, Type, Shape);
    }
}

/// <summary>Lists of tensors under different names.</summary>
public static class TensorSpecifications
{
    private static readonly ScalarType[] s_types =
    [
        ScalarType.Float64, ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16, ScalarType.Int64, ScalarType.Int32,
        ScalarType.Int16,
        ScalarType.Int8, ScalarType.Byte, ScalarType.Bool,
    ];

    private static readonly string[] s_nameParts =
        ["h", "weight", ".", "0", "é", "重み", "🧡", " ", "\"", "\\", "\n", "\t", "\u0001", "\u007f", "\u2028", "<", "'", "a/b", "__"];

    public static Arbitrary<List<TensorSpecification>> Lists()
    {
        Gen<string> names = Gen.Elements(s_nameParts).ListOf().Select(string.Concat);
        Gen<long[]> shapes = Gen.Choose(0, 4).SelectMany(rank => Gen.Choose(0, 5).Select(extent => (long)extent).ArrayOf(rank));
        Gen<TensorSpecification> tensors = names.SelectMany(name => Gen.Elements(s_types).SelectMany(type => shapes.SelectMany(shape =>
            Gen.Choose(0, int.MaxValue).Select(seed => new TensorSpecification(name, type, shape, seed)))));
        return tensors.ListOf().Select(list => list.DistinctBy(tensor => tensor.Name).ToList()).ToArbitrary();
    }
}
