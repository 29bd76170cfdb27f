using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Memory;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Checkpoints;

/// <summary>What must hold for a file of any contents: it opens and all of it is read, or it is refused with its name.</summary>
internal static class HostileFile
{
    /// <summary>Opening costs exceptions, messages and a parser's buffers, whatever a small file says about sizes.</summary>
    private const long MaximumAllocation = 1 << 20;

    /// <summary>Whether the file opened.</summary>
    public static bool OpensOrIsRefused(string path, Func<string, Checkpoint> open)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            using Checkpoint checkpoint = open(path);
            long size = new FileInfo(path).Length;
            foreach (var (name, info) in checkpoint.Tensors)
            {
                using Tensor tensor = checkpoint.Read(name);
                Assert.Equal(info.Shape, tensor.shape);
                Assert.True(tensor.numel() * NativeTensor.ElementSize(info.DataType) <= size);
                using Tensor touched = tensor.clone();
            }
            return true;
        }
        catch (InvalidDataException exception)
        {
            Assert.Contains(path, exception.Message, StringComparison.Ordinal);
            return false;
        }
        finally
        {
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MaximumAllocation);
        }
    }

    /// <summary>Every file that differs in one byte (in several ways) or is cut off at any length.</summary>
    public static void SurvivesEveryCutAndMutation(byte[] valid, string path, Func<string, Checkpoint> open)
    {
        File.WriteAllBytes(path, valid);
        Assert.True(OpensOrIsRefused(path, open));
        for (int length = 0; length < valid.Length; length++)
        {
            File.WriteAllBytes(path, valid[..length]);
            Assert.False(OpensOrIsRefused(path, open), $"A file cut off after {length} of {valid.Length} bytes opened.");
        }
        for (int position = 0; position < valid.Length; position++)
        {
            byte original = valid[position];
            foreach (byte other in (byte[])[0, 0xff, (byte)(original ^ 1), (byte)(original ^ 0x80), (byte)(original + 1), (byte)'9'])
            {
                if (other == original) continue;
                valid[position] = other;
                File.WriteAllBytes(path, valid);
                OpensOrIsRefused(path, open);
            }
            valid[position] = original;
        }
    }

    /// <summary>Replaces some runs of bytes by random ones.</summary>
    public static byte[] Scramble(byte[] valid, int seed)
    {
        var random = new Random(seed);
        byte[] result = [.. valid];
        for (int count = random.Next(1, 6); count > 0; count--)
        {
            int length = random.Next(1, 9), start = random.Next(result.Length - length);
            switch (random.Next(3))
            {
                case 0: random.NextBytes(result.AsSpan(start, length)); break;
                case 1: result.AsSpan(random.Next(result.Length - length), length).CopyTo(result.AsSpan(start, length)); break;
                default: result = [.. result[..start], .. result[(start + length)..]]; break;
            }
            if (result.Length < 20) break;
        }
        return result;
    }
}
