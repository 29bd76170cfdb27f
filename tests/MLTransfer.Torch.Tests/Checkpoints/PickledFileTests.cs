using System.Runtime.InteropServices;
using System.Text;
using FsCheck.Xunit;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Pickle;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Checkpoints;

public class PickledFileTests
{
    private static readonly byte[] s_sixFloats = MemoryMarshal.AsBytes((ReadOnlySpan<float>)[0, 1, 2, 3, 4, 5]).ToArray();

    public static TheoryData<string, byte[]> Attacks => new()
    {
        { "posix.system", new PickleBytes().Protocol().Global("posix", "system").Text("echo hacked").Op(0x85).Op('R').Op('.').ToArray() },
        { "builtins.eval", new PickleBytes().Protocol(4).Text("builtins").Text("eval").Op(0x93).Text("1").Op(0x85).Op('R').Op('.')
            .ToArray() },
        { "torch.load", PickleBytes.StartOfDictionary().Global("torch", "load").Op('.').ToArray() },
        { "torch._utils._rebuild_tensor_v3", new PickleBytes().Protocol().Global("torch._utils", "_rebuild_tensor_v3").Op('.').ToArray() },
        { "INST", new PickleBytes().Protocol().Op('(').Op("ios\nsystem\n"u8).Op('.').ToArray() },
        { "OBJ", new PickleBytes().Protocol().Op('(').Op('o').Op('.').ToArray() },
        { "NEWOBJ", new PickleBytes().Protocol().Global("collections", "OrderedDict").Op(')').Op(0x81).Op('.').ToArray() },
        { "EXT1", new PickleBytes().Protocol().Op(0x82, 1).Op('.').ToArray() },
        { "PERSID", new PickleBytes().Protocol().Op("Pstorage\n"u8).Op('.').ToArray() },
        { "BINBYTES", new PickleBytes().Protocol().Op('B').Op(new byte[4]).Op('.').ToArray() },
        { "0xfe", new PickleBytes().Protocol().Op(0xfe).ToArray() },
        { "attributes on a tensor", new PickleBytes().Protocol().Tensor("FloatStorage", "0", 6, 0, [6], [1]).Op('}').Op('b').Op('.')
            .ToArray() },
        { "call of collections.OrderedDict", new PickleBytes().Protocol().Global("collections", "OrderedDict").Op(']').Op(0x85).Op('R')
            .Op('.').ToArray() },
        { "call of the text 'x'", new PickleBytes().Protocol().Text("x").Op(')').Op('R').Op('.').ToArray() },
    };

    [Theory]
    [MemberData(nameof(Attacks))]
    public void What_tensors_do_not_need_is_refused_by_name_with_the_remedy(string what, byte[] pickle)
    {
        string message = Refusal(pickle);
        Assert.Contains(what, message, StringComparison.Ordinal);
        Assert.Contains("no code of a file is ever run", message, StringComparison.Ordinal);
        Assert.Contains("safetensors", message, StringComparison.Ordinal);
    }

    public static TheoryData<string, byte[]> Damages => new()
    {
        { "protocol is 9", new PickleBytes().Protocol(9).Op('.').ToArray() },
        { "ends too early", new PickleBytes().Protocol().Op('}').ToArray() },
        { "4294967295 bytes", new PickleBytes().Protocol().Op('X').Op(0xff, 0xff, 0xff, 0xff).Op('.').ToArray() },
        { "18446744073709551615 bytes", new PickleBytes().Protocol(4).Op(0x8d).Op(Enumerable.Repeat((byte)0xff, 8).ToArray()).Op('.')
            .ToArray() },
        { "18446744073709551615 bytes", new PickleBytes().Protocol(4).Op(0x95).Op(Enumerable.Repeat((byte)0xff, 8).ToArray()).Op('.')
            .ToArray() },
        { "2147483647 bytes", new PickleBytes().Protocol().Op(0x8b).Op(0xff, 0xff, 0xff, 0x7f).Op('.').ToArray() },
        { "UTF-8", new PickleBytes().Protocol().Op('X').Op(1, 0, 0, 0, 0xff).Op('.').ToArray() },
        { "no end within 256", new PickleBytes().Protocol().Op('c').Op(new byte[1000]).Op('.').ToArray() },
        { "nested more than 256 deep", new PickleBytes().Protocol().Op(Repeat('(', 100_000)).Op('.').ToArray() },
        { "expected a dictionary", new PickleBytes().Protocol().Op(')').Op(Enumerable.Repeat((byte)0x85, 500_000).ToArray()).Op('.')
            .ToArray() },
        { "more than 2000000 values", new PickleBytes().Protocol().Op(Repeat('}', 3_000_000)).Op('.').ToArray() },
        { "memo has more than 2000000", new PickleBytes().Protocol().Op('}').Op(MemoBomb(2_000_001)).Op('.').ToArray() },
        { "memo has no value 7", new PickleBytes().Protocol().Op('h').Op(7).Op('.').ToArray() },
        { "too few values", new PickleBytes().Protocol().Op('N').Op('(').Op(0x85).Op('.').ToArray() },
        { "no mark", new PickleBytes().Protocol().Op('t').Op('.').ToArray() },
        { "key is a tuple", new PickleBytes().Protocol().Op('}').Op(')').Op('N').Op('s').Op('.').ToArray() },
        { "no value", new PickleBytes().Protocol().Op('}').Op('(').Op('N').Op('u').Op('.').ToArray() },
        { "set in a list", new PickleBytes().Protocol().Op(']').Text("a").Op('N').Op('s').Op('.').ToArray() },
        { "appended to a dictionary", new PickleBytes().Protocol().Op('}').Op('N').Op('a').Op('.').ToArray() },
        { "named by a tuple", new PickleBytes().Protocol().Op(')').Op('Q').Op('.').ToArray() },
        { "named by a tuple", new PickleBytes().Protocol().Storage("FloatStorage", "0", -1).Op('.').ToArray() },
        { "two ways", PickleBytes.StartOfDictionary().Text("b").Tensor("LongStorage", "0", 3, 0, [3], [1]).Op('s').Op('.').ToArray() },
        { "expected a dictionary", new PickleBytes().Protocol().Op('N').Op('.').ToArray() },
        { "holds no tensors", new PickleBytes().Protocol().Op('}').Text("state_dict").Op('}').Op('s').Op('.').ToArray() },
        { "past the 6 elements", Tensor(6, 1, [6], [1]) },
        { "past the 6 elements", Tensor(6, 0, [7], [1]) },
        { "past the 6 elements", Tensor(6, 0, [2, 2], [5, 1]) },
        { "past the 6 elements", Tensor(6, 7, [0], [1]) },
        { "past the 6 elements", Tensor(6, long.MaxValue, [1], [1]) },
        { "past the 6 elements", Tensor(6, 0, [3, 2], [long.MaxValue, 1]) },
        { "past the 6 elements", Tensor(6, 0, [3, 2], [long.MaxValue, long.MaxValue]) },
        { "negative", Tensor(6, -1, [1], [1]) },
        { "negative", Tensor(6, 0, [-1], [1]) },
        { "negative", Tensor(6, 5, [2], [-1]) },
        { "too large", Tensor(6, 0, [long.MaxValue, 2], [0, 0]) },
        { "more elements than its storage", Tensor(6, 0, [1_000_000_000], [0]) },
        { "1 extents and 2 strides", Tensor(6, 0, [1], [1, 1]) },
        { "up to 64", Tensor(6, 0, [.. Enumerable.Repeat(1L, 65)], [.. Enumerable.Repeat(1L, 65)]) },
        { "7 elements", Tensor(7, 0, [7], [1]) },
        { "5 elements", Tensor(5, 0, [5], [1]) },
        { "'archive/data/1'", new PickleBytes().Protocol().Op('}').Text("a").Tensor("FloatStorage", "1", 6, 0, [6], [1]).Op('s').Op('.')
            .ToArray() },
        {
            "'archive/data/../../x'",
            new PickleBytes().Protocol().Op('}').Text("a").Tensor("FloatStorage", "../../x", 6, 0, [6], [1]).Op('s').Op('.').ToArray()
        },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void A_damaged_pickle_is_refused_with_the_file_and_the_reason(string reason, byte[] pickle) =>
        Assert.Contains(reason, Refusal(pickle), StringComparison.Ordinal);

    [Fact]
    public void Values_nested_without_end_are_skipped()
    {
        // A list that holds itself, and a tuple around it ten thousand times, as an entry beside the tensor.
        byte[] pickle = PickleBytes.StartOfDictionary().Text("odd").Op(']').Op('q').Op(0).Op('h').Op(0).Op('a')
            .Op(Enumerable.Repeat((byte)0x85, 10_000).ToArray()).Op('s').Op('.').ToArray();
        using var folder = new TemporaryFolder();
        using Checkpoint file = Open(folder, Archive(pickle, s_sixFloats));
        Assert.Equal(["weight"], file.Tensors.Keys);
    }

    [Fact]
    public void Tensors_may_lie_an_entry_deeper_beside_plain_data()
    {
        // {"weights": {"w": tensor}, "hparams": {"size": 16, "rate": 0.5, "kinds": ("a", [None, True])}}
        byte[] pickle = new PickleBytes().Protocol().Op('}')
            .Text("weights").Op('}').Text("w").Tensor("FloatStorage", "0", 6, 0, [2, 3], [3, 1]).Op('s').Op('s')
            .Text("hparams").Op('}').Text("size").Number(16).Op('s').Text("rate").Op('G').Op(0x3f, 0xe0, 0, 0, 0, 0, 0, 0).Op('s')
            .Text("kinds").Text("a").Op(']').Op('N').Op('a').Op(0x88).Op('a').Op(0x86).Op('s').Op('s').Op('.').ToArray();
        using var folder = new TemporaryFolder();
        string path = folder["vae.pt"];
        File.WriteAllBytes(path, Archive(pickle, s_sixFloats));
        using var file = PickledFile.Open(path, tensorsIn: "weights");
        Assert.Equal([2, 3], Assert.Single(file.Tensors).Value.Shape);
        Assert.Equal("""{"size":16,"rate":0.5,"kinds":["a",[null,true]]}""", file.DataOf("hparams")!.ToJsonString());
        Assert.Null(file.DataOf("else"));
        Assert.Contains("expected plain data", Assert.Throws<InvalidDataException>(() => file.DataOf("weights")).Message,
            StringComparison.Ordinal);
        Assert.Contains("no tensors, but the text 'weights'", Assert.Throws<InvalidDataException>(() => PickledFile.Open(path)).Message,
            StringComparison.Ordinal);
        using var flat = PickledFile.Open(WriteDictionary(folder["flat.pt"]), tensorsIn: "weights"); // there is no such entry
        Assert.Equal(["weight"], flat.Tensors.Keys);
    }

    [Fact]
    public void Plain_data_without_end_and_numbers_that_json_does_not_have_are_refused()
    {
        // {"a": [itself], "b": NaN} beside a tensor, as the entry "hparams".
        using var folder = new TemporaryFolder();
        foreach (var (odd, expected) in ((PickleBytes, string)[])[
            (PickleBytes.StartOfDictionary().Text("hparams").Op('}').Text("a").Op(']').Op('q').Op(0).Op('h').Op(0).Op('a'), "nested"),
            (PickleBytes.StartOfDictionary().Text("hparams").Op('}').Text("b").Op('G').Op(0x7f, 0xf8, 0, 0, 0, 0, 0, 0), "NaN")])
        {
            File.WriteAllBytes(folder["odd.pt"], Archive(odd.Op('s').Op('s').Op('.').ToArray(), s_sixFloats));
            using var file = PickledFile.Open(folder["odd.pt"]);
            Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => file.DataOf("hparams")).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(false, 1)]
    [InlineData(true, 0)]
    public void Views_of_one_storage_are_read_with_their_strides(bool deflated, int misalignment)
    {
        byte[] pickle = PickleBytes.StartOfDictionary()
            .Text("transposed").Tensor("FloatStorage", "0", 6, 0, [3, 2], [1, 3]).Op('s')
            .Text("column").Tensor("FloatStorage", "0", 6, 1, [2], [3]).Op('s')
            .Text("last row").Tensor("FloatStorage", "0", 6, 3, [1, 3], [99, 1]).Op('s')
            .Text("scalar").Tensor("FloatStorage", "0", 6, 4, [], []).Op('s')
            .Text("none").Tensor("FloatStorage", "0", 6, 6, [0, 3], [3, 1]).Op('s')
            .Text("parameter").Global("torch._utils", "_rebuild_parameter").Op('(').Tensor("FloatStorage", "0", 6, 0, [6], [1]).Op(0x88)
                .Global("collections", "OrderedDict").Op(')').Op('R').Op('t').Op('R').Op('s')
            .Text("step").Number(1L << 40).Op('s')
            .Op('.').ToArray();
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        (string, byte[])[] entries = Entries(pickle, s_sixFloats);
        using Checkpoint file =
            Open(folder, deflated ? PyTorchZip.Deflated(entries) : PyTorchZip.Stored(entries, misalignment: misalignment));
        Tensor all = arange(6, dtype: ScalarType.Float32);
        TensorBytes.AssertHolds(new Dictionary<string, Tensor>
        {
            ["weight"] = all.view(2, 3),
            ["transposed"] = all.view(2, 3).t(),
            ["column"] = all.view(2, 3)[TensorIndex.Colon, 1],
            ["last row"] = all.view(2, 3)[TensorIndex.Slice(1)],
            ["scalar"] = all[4],
            ["none"] = empty(0, 3),
            ["parameter"] = all,
        }, file);
        if (!deflated && misalignment == 0)
        {
            file.Read("weight").fill_(7);
            Assert.Equal(7, file.Read("scalar").item<float>());
        }
    }

    [Theory]
    [InlineData("DoubleStorage", ScalarType.Float64)]
    [InlineData("FloatStorage", ScalarType.Float32)]
    [InlineData("HalfStorage", ScalarType.Float16)]
    [InlineData("BFloat16Storage", ScalarType.BFloat16)]
    [InlineData("LongStorage", ScalarType.Int64)]
    [InlineData("IntStorage", ScalarType.Int32)]
    [InlineData("ShortStorage", ScalarType.Int16)]
    [InlineData("CharStorage", ScalarType.Int8)]
    [InlineData("ByteStorage", ScalarType.Byte)]
    [InlineData("BoolStorage", ScalarType.Bool)]
    public void Every_class_of_storage_is_read(string storage, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Tensor expected = ones(3, dtype: type);
        byte[] pickle = new PickleBytes().Protocol().Op('}').Text("a").Tensor(storage, "0", 3, 0, [3], [1]).Op('s').Op('.').ToArray();
        using Checkpoint file = Open(folder, Archive(pickle, TensorBytes.Of(expected)));
        TensorBytes.AssertHolds(new Dictionary<string, Tensor> { ["a"] = expected }, file);
    }

    [Fact]
    public void Protocol_4_is_read()
    {
        byte[] pickle = new PickleBytes().Protocol(4).Op(0x95).Op(new byte[8]).Op('}').Op(0x94)
            .Op('(').Op(0x8c, 1, (byte)'a').Op(0x94)
            .Text("torch._utils").Text("_rebuild_tensor_v2").Op(0x93).Op('(').Storage("FloatStorage", "0", 6).Op('K').Op(0)
            .Op('K').Op(6).Op(0x85).Op('K').Op(1).Op(0x85).Op(0x89).Op('}').Op('t').Op('R').Op('u').Op('.').ToArray();
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using Checkpoint file = Open(folder, Archive(pickle, s_sixFloats));
        TensorBytes.AssertHolds(new Dictionary<string, Tensor> { ["a"] = arange(6, dtype: ScalarType.Float32) }, file);
    }

    [Fact]
    public void A_truth_value_that_is_neither_0_nor_1_is_refused()
    {
        byte[] pickle = new PickleBytes().Protocol().Op('}').Text("mask").Tensor("BoolStorage", "0", 2, 0, [2], [1]).Op('s').Op('.')
            .ToArray();
        using var folder = new TemporaryFolder();
        using Checkpoint file = Open(folder, Archive(pickle, [1, 2]));
        Assert.Contains("mask", Assert.Throws<InvalidDataException>(() => file.Read("mask")).Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, byte[]> WrongArchives
    {
        get
        {
            byte[] pickle = PickleBytes.StartOfDictionary().Op('.').ToArray();
            (string, byte[])[] entries = Entries(pickle, s_sixFloats);
            return new()
            {
                { "before PyTorch 1.6|older format",
                    [0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, .. new byte[50]] },
                { "big-endian", PyTorchZip.Stored([.. entries, ("archive/byteorder", "big"u8.ToArray())]) },
                { "TorchScript", PyTorchZip.Stored([.. entries, ("archive/constants.pkl", [])]) },
                { "0 entries FOLDER/data.pkl", PyTorchZip.Stored([("data.pkl", pickle)]) },
                { "2 entries FOLDER/data.pkl", PyTorchZip.Stored([.. entries, ("other/data.pkl", pickle)]) },
                { "occurs twice", PyTorchZip.Stored([.. entries, entries[1]]) },
                { "more than 100 times", PyTorchZip.Deflated([.. entries, ("archive/data/1", new byte[10_000_000])]) },
            };
        }
    }

    [Theory]
    [MemberData(nameof(WrongArchives))]
    public void An_archive_of_another_kind_is_refused_with_the_reason(string reasons, byte[] archive)
    {
        using var folder = new TemporaryFolder();
        string message = Assert.Throws<InvalidDataException>(() => Open(folder, archive)).Message;
        Assert.Contains(folder.Path, message, StringComparison.Ordinal);
        Assert.Contains(reasons.Split('|'), reason => message.Contains(reason, StringComparison.Ordinal));
    }

    [Fact]
    public void A_little_endian_mark_is_accepted()
    {
        using var folder = new TemporaryFolder();
        byte[] pickle = PickleBytes.StartOfDictionary().Op('.').ToArray();
        using Checkpoint file =
            Open(folder, PyTorchZip.Stored([.. Entries(pickle, s_sixFloats), ("archive/byteorder", "little"u8.ToArray())]));
        Assert.Equal(["weight"], file.Tensors.Keys);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_small_file_cut_off_or_changed_anywhere_opens_or_is_refused(bool deflated)
    {
        using var folder = new TemporaryFolder();
        (string, byte[])[] entries = Entries(PickleBytes.StartOfDictionary().Op('.').ToArray(), s_sixFloats);
        HostileFile.SurvivesEveryCutAndMutation(deflated ? PyTorchZip.Deflated(entries) : PyTorchZip.Stored(entries, alignment: 4),
            folder["pytorch_model.bin"], PickledFile.Open);
    }

    [Property(MaxTest = 200, EndSize = 1_000_000)]
    public void A_scrambled_file_opens_or_is_refused(int seed)
    {
        using var folder = new TemporaryFolder();
        string path = folder["scrambled.bin"];
        File.WriteAllBytes(path, HostileFile.Scramble(Archive(PickleBytes.StartOfDictionary().Op('.').ToArray(), s_sixFloats), seed));
        HostileFile.OpensOrIsRefused(path, PickledFile.Open);
    }

    [Property(MaxTest = 200, EndSize = 1_000_000)]
    public void A_scrambled_pickle_opens_or_is_refused(int seed)
    {
        using var folder = new TemporaryFolder();
        string path = folder["scrambled.bin"];
        byte[] pickle = PickleBytes.StartOfDictionary().Text("b").Tensor("FloatStorage", "0", 6, 0, [3, 2], [1, 3]).Op('s').Op('.')
            .ToArray();
        File.WriteAllBytes(path, Archive(HostileFile.Scramble(pickle, seed), s_sixFloats));
        HostileFile.OpensOrIsRefused(path, PickledFile.Open);
    }

    private static byte[] Tensor(long count, long offset, long[] shape, long[] strides) =>
        new PickleBytes().Protocol().Op('}').Text("a").Tensor("FloatStorage", "0", count, offset, shape, strides).Op('s').Op('.').ToArray();

    private static byte[] Repeat(char opcode, int count) => Encoding.ASCII.GetBytes(new string(opcode, count));

    private static byte[] MemoBomb(int count)
    {
        using var stream = new MemoryStream();
        for (int index = 0; index < count; index++) stream.Write([(byte)'r', .. BitConverter.GetBytes(index)]);
        return stream.ToArray();
    }

    private static (string, byte[])[] Entries(byte[] pickle, byte[] storage) => [("archive/data.pkl", pickle), ("archive/data/0", storage)];

    private static string WriteDictionary(string path)
    {
        File.WriteAllBytes(path, Archive(PickleBytes.StartOfDictionary().Op('.').ToArray(), s_sixFloats));
        return path;
    }

    private static byte[] Archive(byte[] pickle, byte[] storage) => PyTorchZip.Stored(Entries(pickle, storage));

    private static PickledFile Open(TemporaryFolder folder, byte[] archive)
    {
        string path = folder["pytorch_model.bin"];
        File.WriteAllBytes(path, archive);
        return PickledFile.Open(path);
    }

    private static string Refusal(byte[] pickle)
    {
        using var folder = new TemporaryFolder();
        string message = Assert.Throws<InvalidDataException>(() => Open(folder, Archive(pickle, s_sixFloats))).Message;
        Assert.Contains(folder.Path, message, StringComparison.Ordinal);
        return message;
    }
}
