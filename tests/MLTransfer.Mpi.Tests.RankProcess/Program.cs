using System.Diagnostics;
using MLTransfer.Mpi;
using MLTransfer.Mpi.Tests.RankProcess;

// talk: what ranks say to each other; train FOLDER MODEL OPTION...: a training, see Training; end HOW: rank 1 ends while the other waits.
if (args[0] == "alone")
    return Training.Run(null, args[1..]);

using var ranks = MpiCollective.Start();
switch (args[0])
{
    case "talk":
        Conversation.Run(ranks);
        return 0;
    case "train":
        return Training.Run(ranks, args[1..]);
    case "end":
        try
        {
            return End(ranks, args[1]);
        }
        catch (NotSupportedException)
        {
            return 3; // while ranks wait: what a program does that catches more than it should
        }

    default:
        throw new ArgumentException($"Unknown: {args[0]}");
}

static int End(MpiCollective ranks, string how)
{
    ranks.Barrier();
    if (how == "never")
    {
        for (var i = 0; i < 1200; i++)
        {
            ranks.AllReduceSum(new float[1000]);
            Thread.Sleep(50);
        }
    }

    if (ranks.Rank == 1)
    {
        switch (how)
        {
            case "killed":
                Process.GetCurrentProcess().Kill();
                break;
            case "unhandled":
                throw new InvalidDataException("a bad row");
            case "left":
                using (ranks)
                    throw new NotSupportedException("caught around the collective");
            case "exit":
                Environment.Exit(5);
                break;
        }
    }

    ranks.Barrier();
    return 0;
}
