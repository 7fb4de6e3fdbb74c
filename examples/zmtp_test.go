package examples_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// A socket is one end of ZeroMQ's wire protocol, ZMTP 3.0 (rfc.zeromq.org/spec/23),
// as much of it as a client of a notebook kernel needs: messages of several frames
// over one connection, without encryption. One goroutine may send while another
// receives.
type socket struct {
	conn net.Conn
}

// The bits of the first byte of a frame.
const (
	moreFrames   = 1
	longFrame    = 2
	commandFrame = 4

	maxFrame = 64 << 20 // far more than any cell puts out
)

// dial connects to a socket that listens, as a socket of the given type.
func dial(network, address, kind string) (*socket, error) {
	conn, err := net.Dial(network, address)
	if err != nil {
		return nil, err
	}
	s := &socket{conn}
	if err := s.greet(kind); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return s, nil
}

// greet exchanges greetings and the commands by which both ends are ready.
func (s *socket) greet(kind string) error {
	var ours, theirs [64]byte
	ours[0], ours[9], ours[10] = 0xff, 0x7f, 3
	copy(ours[12:], "NULL")
	if _, err := s.conn.Write(ours[:]); err != nil {
		return err
	}
	if _, err := io.ReadFull(s.conn, theirs[:]); err != nil {
		return err
	}
	if !bytes.Equal(theirs[12:32], ours[12:32]) || theirs[10] < 3 {
		return fmt.Errorf("zmtp: greeting %x", theirs)
	}
	const property = "Socket-Type"
	ready := append([]byte("\x05READY"), byte(len(property)))
	ready = append(ready, property...)
	ready = binary.BigEndian.AppendUint32(ready, uint32(len(kind)))
	ready = append(ready, kind...)
	if err := s.write(commandFrame, ready); err != nil {
		return err
	}
	flags, answer, err := s.read()
	if err != nil {
		return err
	}
	if flags&commandFrame == 0 || !bytes.HasPrefix(answer, []byte("\x05READY")) {
		return fmt.Errorf("zmtp: %q in the place of READY", answer)
	}
	return nil
}

// subscribe asks for all messages of a PUB socket.
func (s *socket) subscribe() error { return s.send([]byte{1}) }

// send sends one message.
func (s *socket) send(frames ...[]byte) error {
	for i, f := range frames {
		flags := byte(moreFrames)
		if i == len(frames)-1 {
			flags = 0
		}
		if err := s.write(flags, f); err != nil {
			return err
		}
	}
	return nil
}

// receive waits for the next message.
func (s *socket) receive() (frames [][]byte, err error) {
	for {
		flags, frame, err := s.read()
		if err != nil {
			return nil, err
		}
		if flags&commandFrame != 0 {
			continue
		}
		frames = append(frames, frame)
		if flags&moreFrames == 0 {
			return frames, nil
		}
	}
}

func (s *socket) write(flags byte, body []byte) error {
	var frame []byte
	if len(body) > 255 {
		frame = binary.BigEndian.AppendUint64([]byte{flags | longFrame}, uint64(len(body)))
	} else {
		frame = []byte{flags, byte(len(body))}
	}
	_, err := s.conn.Write(append(frame, body...))
	return err
}

func (s *socket) read() (flags byte, body []byte, err error) {
	var head [9]byte
	if _, err := io.ReadFull(s.conn, head[:2]); err != nil {
		return 0, nil, err
	}
	length := uint64(head[1])
	if head[0]&longFrame != 0 {
		if _, err := io.ReadFull(s.conn, head[2:]); err != nil {
			return 0, nil, err
		}
		length = binary.BigEndian.Uint64(head[1:])
	}
	if length > maxFrame {
		return 0, nil, fmt.Errorf("zmtp: a frame of %d bytes", length)
	}
	body = make([]byte, length)
	_, err = io.ReadFull(s.conn, body)
	return head[0], body, err
}
