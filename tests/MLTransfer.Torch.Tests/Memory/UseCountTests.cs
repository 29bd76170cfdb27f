using MLTransfer.Torch.Memory;
using Xunit;

namespace MLTransfer.Torch.Tests.Memory;

public class UseCountTests
{
    private readonly UseCount _count = new();
    private int _freed;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void What_nobody_uses_is_freed_at_once_and_only_once()
    {
        _count.Begin(GetType()).Dispose();
        _count.Dispose(() => _freed++);
        _count.Dispose(() => _freed++);
        Assert.Equal(1, _freed);
    }

    [Fact]
    public void Calls_under_way_keep_it_and_the_last_one_frees_it()
    {
        using var others = new Barrier(2);
        var other = new Thread(() =>
        {
            using var hold = _count.Begin(GetType());
            others.SignalAndWait(Token); // both are in
            others.SignalAndWait(Token); // this thread's call has ended
        });
        other.Start();
        using (_count.Begin(GetType()))
        {
            others.SignalAndWait(Token);
            _count.Dispose(() => _freed++); // from within a call: nobody waits
            Assert.Equal(0, _freed);
        }

        Assert.Equal(0, _freed);
        others.SignalAndWait(Token);
        other.Join();
        Assert.Equal(1, _freed);
    }

    [Fact]
    public void A_call_within_a_call_is_part_of_it_and_other_calls_are_refused()
    {
        using (_count.Begin(GetType()))
        {
            _count.Dispose(() => _freed++);
            _count.Begin(GetType()).Dispose();
            Assert.Equal(0, _freed);
            var refused = false;
            var other = new Thread(() =>
                refused = Record.Exception(() => _count.Begin(GetType()).Dispose()) is ObjectDisposedException);
            other.Start();
            other.Join();
            Assert.True(refused);
        }

        Assert.Equal(1, _freed);
        Assert.Throws<ObjectDisposedException>(() => _count.Begin(GetType()).Dispose());
    }

    [Fact]
    public void Calls_to_two_objects_are_counted_apart()
    {
        var other = new UseCount();
        using (_count.Begin(GetType()))
        {
            using (other.Begin(GetType()))
                other.Dispose(() => _freed += 10);
            Assert.Equal(10, _freed);
            _count.Dispose(() => _freed++);
            Assert.Throws<ObjectDisposedException>(() => other.Begin(GetType()).Dispose());
        }

        Assert.Equal(11, _freed);
    }

    [Fact]
    public void The_exception_names_the_object_and_the_remedy()
    {
        _count.Dispose(() => { });
        var plain = Assert.Throws<ObjectDisposedException>(() => _count.Begin(typeof(string)).Dispose());
        Assert.Equal("System.String", plain.ObjectName);
        var helpful = Assert.Throws<ObjectDisposedException>(() => _count.Begin(typeof(string), "Make another.").Dispose());
        Assert.Equal("System.String", helpful.ObjectName);
        Assert.StartsWith("The String is disposed. Make another.", helpful.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_many_threads_that_call_and_dispose_none_uses_what_is_freed()
    {
        for (var round = 0; round < 200; round++)
        {
            var (count, isFreed, frees, wrong) = (new UseCount(), false, 0, 0);
            Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, thread =>
            {
                for (var call = 0; call < 50; call++)
                {
                    if (thread == 7 && call == 20)
                        count.Dispose(() => { Volatile.Write(ref isFreed, true); Interlocked.Increment(ref frees); });
                    try
                    {
                        using var hold = count.Begin(typeof(string));
                        if (Volatile.Read(ref isFreed))
                            Interlocked.Increment(ref wrong);
                    }
                    catch (ObjectDisposedException)
                    {
                        return;
                    }
                }
            });
            Assert.Equal((1, 0), (frees, wrong));
        }
    }
}
