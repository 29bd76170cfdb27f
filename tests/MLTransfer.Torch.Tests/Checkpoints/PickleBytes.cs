using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace MLTransfer.Torch.Tests.Checkpoints;

/// <summary>Pickles written by hand, instruction by instruction, so that tests can say what no honest writer says.</summary>
internal sealed class PickleBytes
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();

    public PickleBytes Op(params ReadOnlySpan<byte> bytes)
    {
        _bytes.Write(bytes);
        return this;
    }

    public PickleBytes Op(char opcode) => Op((byte)opcode);

    public PickleBytes Protocol(byte version = 2) => Op(0x80, version);

    public PickleBytes Global(string module, string name) => Op(Encoding.UTF8.GetBytes($"c{module}\n{name}\n"));

    public PickleBytes Text(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text), length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        return Op('X').Op(length).Op(bytes);
    }

    /// <summary>As Python does it: LONG1 with eight bytes where the number is too large for BININT.</summary>
    public PickleBytes Number(long value)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return value is >= int.MinValue and <= int.MaxValue ? Op('J').Op(bytes.AsSpan(0, 4)) : Op(0x8a, 8).Op(bytes);
    }

    public PickleBytes Numbers(params long[] values)
    {
        Op('(');
        foreach (long value in values) Number(value);
        return Op('t');
    }

    public PickleBytes Storage(string type, string key, long count) =>
        Op('(').Text("storage").Global("torch", type).Text(key).Text("cpu").Number(count).Op('t').Op('Q');

    public PickleBytes Tensor(string type, string key, long count, long offset, long[] shape, long[] strides) =>
        Global("torch._utils", "_rebuild_tensor_v2").Op('(').Storage(type, key, count).Number(offset).Numbers(shape).Numbers(strides)
            .Op(0x89).Global("collections", "OrderedDict").Op(')').Op('R').Op('t').Op('R');

    /// <summary>A dictionary with one tensor, [2, 3] float32, with storage "0" of six elements; more entries may follow.</summary>
    public static PickleBytes StartOfDictionary() => new PickleBytes().Protocol().Op('}')
        .Text("weight").Tensor("FloatStorage", "0", 6, 0, [2, 3], [3, 1]).Op('s');
}
