using System.Buffers.Binary;

namespace MLTransfer.Torch.Sounds;

/// <summary>
/// A WAV file with the size in its first eight bytes as it is. What writes to a pipe leaves 0 or the largest number there, and a reader
/// that trusts it sees no chunks.
/// </summary>
internal sealed class RiffSizeStream(Stream file) : Stream
{
    private const int SizeAt = 4;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => file.Length;

    public override long Position
    {
        get => file.Position;
        set => file.Position = value;
    }

    public override int Read(Span<byte> buffer)
    {
        var start = file.Position;
        var count = file.Read(buffer);
        if (start < SizeAt + sizeof(uint) && start + count > SizeAt)
            WriteSize(buffer[..count], start);
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) => file.Seek(offset, origin);

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private void WriteSize(Span<byte> buffer, long start)
    {
        Span<byte> size = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(size, (uint)Math.Clamp(file.Length - SizeAt - sizeof(uint), 0, uint.MaxValue));
        for (var i = 0; i < size.Length; i++)
        {
            var at = SizeAt + i - start;
            if (at >= 0 && at < buffer.Length)
                buffer[(int)at] = size[i];
        }
    }
}
