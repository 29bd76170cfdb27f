using System.Globalization;
using System.Text;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Checkpoints;

/// <summary>Who owns the memory of tensors, and how much of it there is. Alone, because one test measures the whole process.</summary>
[Collection(nameof(CheckpointMemoryTests))]
[CollectionDefinition(nameof(CheckpointMemoryTests), DisableParallelization = true)]
public class CheckpointMemoryTests
{
    private const int Megabyte = 1 << 20;

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("pytorch_model.bin")]
    public void Tensors_outlive_their_checkpoint_and_the_mapping_ends_with_the_last_of_them(string name)
    {
        using var folder = new TemporaryFolder();
        string path = folder[name];
        File.Copy(RepositoryFiles.Data("gpt2-tiny/" + name), path);
        using var scope = NewDisposeScope();
        Tensor first = ReadAndDispose(path, "transformer.wte.weight"), second = first.narrow(0, 0, 1);
        Collect();
        AssertMapped(path, true);
        using (Checkpoint reference = Checkpoint.Open(RepositoryFiles.Data("gpt2-tiny")))
            TensorBytes.AssertEqual(reference.Read("transformer.wte.weight"), first);
        first.Dispose();
        Collect();
        AssertMapped(path, true);
        Assert.True(second.isfinite().all().item<bool>());
        second.Dispose();
        AssertMapped(path, false);
    }

    [Fact]
    public void Tensors_of_a_stream_outlive_their_checkpoint()
    {
        using var scope = NewDisposeScope();
        Tensor tensor;
        using (FileStream stream = File.OpenRead(RepositoryFiles.Data("gpt2-tiny/model.safetensors")))
        using (SafetensorsFile file = SafetensorsFile.Read(stream))
            tensor = file.Read("transformer.wte.weight");
        Collect();
        using Checkpoint reference = Checkpoint.Open(RepositoryFiles.Data("gpt2-tiny"));
        TensorBytes.AssertEqual(reference.Read("transformer.wte.weight"), tensor);
    }

    [Fact]
    public void A_checkpoint_that_is_not_disposed_is_unmapped_by_the_garbage_collector()
    {
        using var folder = new TemporaryFolder();
        string path = folder["model.safetensors"];
        File.Copy(RepositoryFiles.Data("gpt2-tiny/model.safetensors"), path);
        Forget(path);
        Collect();
        AssertMapped(path, false);

        static void Forget(string path) => Assert.NotEmpty(SafetensorsFile.Open(path).Tensors);
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("pytorch_model.bin")]
    public void Writing_to_a_tensor_does_not_reach_the_file(string name)
    {
        using var folder = new TemporaryFolder();
        string path = folder[name];
        File.Copy(RepositoryFiles.Data("gpt2-tiny/" + name), path);
        byte[] before = File.ReadAllBytes(path);
        using (var scope = NewDisposeScope())
        using (Checkpoint checkpoint = Checkpoint.Open(folder.Path))
        {
            foreach (string tensor in checkpoint.Tensors.Keys) checkpoint.Read(tensor).fill_(1);
            Assert.Equal(1, checkpoint.Read("transformer.wte.weight").mean().item<float>());
        }
        Assert.Equal(before, File.ReadAllBytes(path));
    }

    [Fact]
    public void Threads_may_read_and_dispose_the_same_tensors_at_once()
    {
        using Checkpoint checkpoint = Checkpoint.Open(RepositoryFiles.Data("gpt2-tiny/sharded"));
        string[] names = [.. checkpoint.Tensors.Keys];
        Parallel.For(0, 2000, index =>
        {
            using var scope = NewDisposeScope();
            string name = names[index % names.Length];
            Assert.Equal(checkpoint.Tensors[name].Shape, checkpoint.Read(name).shape);
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Reading_200_megabytes_takes_no_private_memory(bool safetensors)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Private memory is read from /proc.");
        using var folder = new TemporaryFolder();
        string path = folder[safetensors ? "model.safetensors" : "pytorch_model.bin"];
        const int count = 10, elements = 5 * Megabyte;   // 20 MB each
        if (safetensors) WriteSafetensors(path, count, elements);
        else WritePickled(path, count, elements);
        Assert.True(new FileInfo(path).Length >= 200L * Megabyte);
        using (NewDisposeScope()) ones(elements).sum().item<float>();   // starts libtorch's threads
        Collect();

        long before = PrivateBytes();
        using (NewDisposeScope())
        using (Checkpoint checkpoint = Checkpoint.Open(folder.Path))
        {
            List<Tensor> tensors = [.. checkpoint.Tensors.Keys.Select(checkpoint.Read)];
            Assert.Equal(count, tensors.Count);
            foreach (Tensor tensor in tensors) Assert.Equal(elements, tensor.sum().item<float>());
            long grown = PrivateBytes() - before;
            Assert.True(grown < 20 * Megabyte, $"Private memory grew by {grown} bytes.");
            TestContext.Current.SendDiagnosticMessage("Private memory grew by {0} KB", grown / 1024);
        }
    }

    private static Tensor ReadAndDispose(string path, string name)
    {
        using Checkpoint checkpoint = Checkpoint.Open(Path.GetDirectoryName(path)!);
        return checkpoint.Read(name);
    }

    private static void WriteSafetensors(string path, int count, int elements)
    {
        using var scope = NewDisposeScope();
        Tensor tensor = ones(elements);
        SafetensorsWriter.Write(path, Enumerable.Range(0, count).Select(index => KeyValuePair.Create($"t{index}", tensor)));
    }

    private static void WritePickled(string path, int count, int elements)
    {
        using var scope = NewDisposeScope();
        byte[] storage = TensorBytes.Of(ones(elements));
        PickleBytes pickle = new PickleBytes().Protocol().Op('}');
        for (int index = 0; index < count; index++) pickle.Text($"t{index}")
            .Tensor("FloatStorage", $"{index}", elements, 0, [elements], [1]).Op('s');
        File.WriteAllBytes(path, PyTorchZip.Stored([("archive/data.pkl", pickle.Op('.').ToArray()),
            .. Enumerable.Range(0, count).Select(index => ($"archive/data/{index}", storage))]));
    }

    private static void AssertMapped(string path, bool expected)
    {
        if (!OperatingSystem.IsLinux()) return;
        Assert.Equal(expected, File.ReadAllText("/proc/self/maps").Contains(path, StringComparison.Ordinal));
    }

    private static long PrivateBytes()
    {
        string line = File.ReadLines("/proc/self/status", Encoding.ASCII)
            .Single(line => line.StartsWith("RssAnon:", StringComparison.Ordinal));
        return 1024 * long.Parse(line["RssAnon:".Length..^" kB".Length], NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture);
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }
}
