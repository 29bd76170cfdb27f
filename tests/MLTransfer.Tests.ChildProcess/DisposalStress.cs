using System.Collections.Concurrent;
using System.Diagnostics;

namespace MLTransfer.Tests.ChildProcess;

/// <summary>
/// Objects are used by several threads and disposed at a random moment: every call ends as if nothing had happened, or with an
/// <see cref="ObjectDisposedException"/>.
/// </summary>
internal static class DisposalStress
{
    private const int Threads = 3;

    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(60);

    /// <returns>0, or 1 where a call ended otherwise or not at all; what it was is on the error stream.</returns>
    public static int Run(TimeSpan duration, int seed, string folder)
    {
        TorchSharp.torch.set_num_threads(2); // the worker team takes part
        using var subjects = new DisposalSubjects(folder);
        var random = new Random(seed);
        var clock = Stopwatch.StartNew();
        var rounds = 0;
        var ended = new ConcurrentDictionary<string, (int Whole, int Refused)>();
        while (clock.Elapsed < duration || rounds < subjects.Kinds.Count)
        {
            var subject = subjects.Kinds[rounds++ % subjects.Kinds.Count](random.Next());
            if (RunRound(subject, random, ended) is not { } problem)
                continue;
            Console.Error.WriteLine($"Round {rounds}, {subject.Name}: {problem}");
            return 1;
        }

        foreach (var (call, (whole, refused)) in ended.OrderBy(pair => pair.Key))
            Console.WriteLine($"{call}: {whole} whole, {refused} refused");
        return 0;
    }

    private static string? RunRound(
        DisposalSubject subject, Random random, ConcurrentDictionary<string, (int Whole, int Refused)> ended)
    {
        var problems = new ConcurrentQueue<string>();
        var threads = Enumerable.Range(0, subject.IsForOneThread ? 1 : Threads).Select(_ =>
        {
            var calls = new Random(random.Next());
            var thread = new Thread(() => Work(subject, calls, ended, problems)) { IsBackground = true };
            thread.Start();
            return thread;
        }).ToList();
        Thread.Sleep(random.Next(0, subject.LongestDelay));
        subject.Disposals[random.Next(subject.Disposals.Count)]();
        foreach (var thread in threads)
        {
            if (!thread.Join(s_longestWait))
                return $"a thread has not ended {s_longestWait.TotalSeconds} s after the disposal";
        }

        if (problems.TryDequeue(out var problem))
            return problem;
        for (var wait = Stopwatch.StartNew(); !subject.IsFreed(); Thread.Sleep(5))
        {
            GC.Collect(); // streams that were left unread end when they are found
            if (wait.Elapsed > s_longestWait)
                return "its weights are not freed";
        }

        return null;
    }

    /// <summary>Calls until a call is refused.</summary>
    private static void Work(
        DisposalSubject subject, Random random, ConcurrentDictionary<string, (int Whole, int Refused)> ended,
        ConcurrentQueue<string> problems)
    {
        while (true)
        {
            var (name, call) = subject.Calls[random.Next(subject.Calls.Count)];
            try
            {
                call();
                ended.AddOrUpdate($"{subject.Name}, {name}", (1, 0), (_, counts) => (counts.Whole + 1, counts.Refused));
            }
            catch (ObjectDisposedException)
            {
                ended.AddOrUpdate($"{subject.Name}, {name}", (0, 1), (_, counts) => (counts.Whole, counts.Refused + 1));
                return;
            }
            catch (Exception exception)
            {
                problems.Enqueue($"{name}: {exception}");
                return;
            }
        }
    }
}
